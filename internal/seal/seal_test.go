package seal

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// What is written is read, with each of the keys, and its packets come in the
// order of time.
func TestRoundTrip(t *testing.T) {
	for seed, segments := range [][]int{{}, {0}, {1}, {3, 2, 0, 5}, {40, 40, 40, 40, 10, 1}} {
		s := newSample(rand.New(rand.NewPCG(1, uint64(seed))), segments...)
		k := newKeys(t)
		file := s.seal(t, k)
		for _, id := range []age.Identity{k.machine, k.recovery} {
			r, err := NewReader(bytes.NewReader(file), id)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&s.head, r.Head(), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{})); d != "" {
				t.Errorf("%v: the head has changed:\n%s", segments, d)
			}
			if want := (Name{1, k.name(), 2}); r.Name() != want {
				t.Errorf("the name is %v, want %v", r.Name(), want)
			}
			got, err := readAll(r)
			if !errors.Is(err, io.EOF) || isDamage(err) {
				t.Fatalf("%v: after %d segments: %v", segments, len(got), err)
			}
			if d := cmp.Diff(s.segments, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); d != "" {
				t.Errorf("%v: the segments have changed:\n%s", segments, d)
			}
			if end, ok := r.End(); end != s.end || !ok {
				t.Errorf("the end is %v, want %v", end, s.end)
			}
			r.Close()
		}
		f, err := Open(bytes.NewReader(file), nil, k.recovery)
		if err != nil {
			t.Fatal(err)
		}
		if f.Damage != nil || f.Strange.Segments > 0 || f.End != s.end || f.Found.Count != (Count{s.end.Segments, s.end.Packets, s.end.Bytes}) {
			t.Errorf("%v: %v, %v, %v, %v", segments, f.Damage, f.Strangest, f.End, f.Found)
		}
		got, err := packetsOf(f, math.MinInt64, math.MaxInt64)
		if err == nil {
			err = diff(got, s.packets)
		}
		if err != nil {
			t.Errorf("%v: %v", segments, err)
		}
		f.Close()
	}
}

// Of a file that opens in the middle of the time, only what was asked for comes.
func TestTimes(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(2, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	f, err := Open(bytes.NewReader(file), nil, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	since, until := s.packets[len(s.packets)/3].Time, s.packets[len(s.packets)/2].Time
	var want []cached
	for _, p := range s.packets {
		if p.Time >= since && p.Time <= until {
			want = append(want, p)
		}
	}
	got, err := packetsOf(f, since, until)
	if err == nil {
		err = diff(got, want)
	}
	if err != nil {
		t.Error(err)
	}
	if last := s.packets[len(s.packets)-1].Time; f.Found.Newest != last {
		t.Errorf("the newest packet is of %d, want %d", f.Found.Newest, last)
	}
}

// Far more segments than are open at once may overlap.
func TestOverlap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	s := newSample(r, 1)
	s.segments, s.packets, s.end = nil, nil, End{}
	const segments, each = 3 * maxOpen, 9
	lists := make([][]cached, segments)
	for i := range segments * each {
		at := r.IntN(segments)
		if len(lists[at]) == 0 {
			at = i % segments
		}
		p := cached{Packet: packet.Packet{Time: day.UnixNano() + int64(i), Data: []byte{byte(i), byte(i >> 8)}, OrigLen: 2}}
		lists[at] = append(lists[at], p)
		s.packets = append(s.packets, p)
	}
	for _, list := range lists {
		if len(list) > 0 {
			s.segments = append(s.segments, pack(list, true))
		}
	}
	k := newKeys(t)
	file := s.seal(t, k)
	f, err := Open(bytes.NewReader(file), nil, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	got, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err == nil {
		err = diff(got, s.packets)
	}
	if err != nil {
		t.Error(err)
	}
}

// Whose a file is can be told without a key, and what is none of ours by its
// first bytes.
func TestReadName(t *testing.T) {
	k := newKeys(t)
	ours := newSample(rand.New(rand.NewPCG(4, 1)), 1).seal(t, k)
	foreign := encrypted(t, k.machine.Recipient())
	newer := bytes.Replace(ours, []byte("-> packetcache 1 "), []byte("-> packetcache 2 "), 1)
	long := make([]age.Recipient, 200)
	for i := range long {
		long[i] = k.machine.Recipient()
	}
	for _, test := range []struct {
		name string
		file []byte
		want error
		says string
	}{
		{"ours", ours, nil, ""},
		{"empty", nil, ErrNotAge, "not a sealed cache"},
		{"other", []byte("\xd4\xc3\xb2\xa1 pcap"), ErrNotAge, "not a sealed cache"},
		{"foreign", foreign, ErrForeign, "not a sealed cache of PacketCache"},
		{"foreign with a long header", encrypted(t, long...), ErrForeign, "not a sealed cache of PacketCache"},
		{"newer", newer, &VersionError{2}, "version 2"},
		{"cut in the first line", ours[:10], errCut, "ends in the middle"},
		{"cut in a stanza", ours[:300], errCut, "ends in the middle"},
		{"without an identity", bytes.Replace(ours, []byte(k.name()), nil, 1), nil, "beginning is damaged"},
		{"with more than that", bytes.Replace(ours, []byte(k.name()), []byte("a b"), 1), nil, "makes no sense"},
		{"a version that is none", bytes.Replace(ours, []byte("-> packetcache 1 "), []byte("-> packetcache x "), 1), nil, "version"},
		{"a header that is none", bytes.Replace(ours, []byte("\n-> X25519"), []byte("\n+> X25519"), 1), nil, "beginning is damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name, err := ReadName(bytes.NewReader(test.file))
			var version *VersionError
			switch {
			case test.says == "":
				if err != nil || name != (Name{1, k.name(), 2}) {
					t.Errorf("got %v, %v", name, err)
				}
				return
			case err == nil || !strings.Contains(err.Error(), test.says):
				t.Errorf("got %v, want %q", err, test.says)
			case errors.As(test.want, &version):
				if !errors.As(err, &version) || name.Identity != k.name() {
					t.Errorf("got %v, %v", name, err)
				}
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("got %v, want %v", err, test.want)
			}
			if _, err := NewReader(bytes.NewReader(test.file), k.machine); err == nil {
				t.Error("it can be opened")
			}
		})
	}
}

// encrypted is an age file of somebody else.
func encrypted(t *testing.T, to ...age.Recipient) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := age.Encrypt(&file, to...)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "what somebody else has written")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWrongKey(t *testing.T) {
	file := newSample(rand.New(rand.NewPCG(5, 1)), 1).seal(t, newKeys(t))
	if _, err := NewReader(bytes.NewReader(file), newKeys(t).machine); !errors.Is(err, ErrWrongKey) {
		t.Errorf("got %v", err)
	}
}

// The key of one file can be had from its header alone, and opens it.
func TestHeaderAlone(t *testing.T) {
	k := newKeys(t)
	s := newSample(rand.New(rand.NewPCG(6, 1)), 4)
	file := s.seal(t, k)
	header, name, err := ReadHeader(bytes.NewReader(file))
	if err != nil || name.Identity != k.name() || !bytes.HasPrefix(file, header) {
		t.Fatalf("got %q, %v, %v", header, name, err)
	}
	key, err := age.DecryptHeader(header, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(file), age.NewInjectedFileKeyIdentity(key))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := readAll(r); len(list) != 4 || isDamage(err) {
		t.Errorf("%d segments, %v", len(list), err)
	}
}

// A writer whose file is full fails from then on, and one that gives up writes
// nothing more.
func TestWriterFails(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(7, 1)), 2, 40)
	k := newKeys(t)
	whole := len(s.seal(t, k))
	for room := 0; room < whole; room += 1 + room/7 {
		to := &smallDisk{room: room}
		w, err := NewWriter(to, k.name(), k.recipients(), &s.head)
		for i := 0; err == nil && i < len(s.segments); i++ {
			err = w.Segment(&s.segments[i])
		}
		if err == nil {
			err = w.Close(s.end)
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("with room for %d of %d bytes: %v", room, whole, err)
		}
	}
	var file bytes.Buffer
	w, err := NewWriter(&file, k.name(), k.recipients(), &s.head)
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	n := file.Len()
	if err := w.Segment(&s.segments[0]); err == nil || file.Len() != n {
		t.Errorf("got %v and %d bytes more", err, file.Len()-n)
	}
	if err := w.Close(s.end); err == nil {
		t.Error("a file that was given up was closed")
	}
}

var errFull = errors.New("disk full")

type smallDisk struct{ room int }

func (d *smallDisk) Write(b []byte) (int, error) {
	if len(b) > d.room {
		return d.room, errFull
	}
	d.room -= len(b)
	return len(b), nil
}

// What the format cannot hold is refused, and the file goes on.
func TestWriterRefuses(t *testing.T) {
	k := newKeys(t)
	s := newSample(rand.New(rand.NewPCG(8, 1)), 1)
	var file bytes.Buffer
	w, err := NewWriter(&file, k.name(), k.recipients(), &s.head)
	if err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(*record.Segment){
		func(s *record.Segment) { s.Log = -1 },
		func(s *record.Segment) { s.Table = 1 << 16 },
		func(s *record.Segment) { s.Records = record.MaxRecords + 1 },
		func(s *record.Segment) { s.Size = record.MaxSize + 1 },
		func(s *record.Segment) { s.Shares = make([]record.Share, record.MaxShares+1) },
		func(s *record.Segment) { s.Data = make([]byte, maxData+1) },
	} {
		bad := s.segments[0]
		spoil(&bad)
		if err := w.Segment(&bad); err == nil {
			t.Errorf("taken: %+v", bad)
		}
	}
	if err := w.Segment(&s.segments[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(End{Left: 7, Cut: true}); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(file.Bytes()), k.machine)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readAll(r)
	if end, _ := r.End(); len(list) != 1 || isDamage(err) || end.Left != 7 || end.Segments != 1 {
		t.Errorf("%d segments, %v, %+v", len(list), err, end)
	}
	for _, head := range []Head{
		{State: record.State{Logs: make([]record.Log, maxLogs+1)}},
		{State: record.State{Tables: make([][]packet.Interface, maxTables+1)}},
		{State: record.State{Tables: [][]packet.Interface{make([]packet.Interface, maxInterfaces+1)}}},
		{State: record.State{Rules: []record.Rule{{Factor: math.NaN()}}}},
		{Coverage: []Coverage{{Text: strings.Repeat("x", maxHead)}}},
	} {
		if _, err := NewWriter(io.Discard, k.name(), k.recipients(), &head); err == nil {
			t.Errorf("a head with %d logs, %d tables was taken", len(head.State.Logs), len(head.State.Tables))
		}
	}
}
