package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/packetcache/packetcache/internal/record"
)

// A layout says where the frames of a file stand in its plaintext.
type layout struct {
	header int   // bytes of the age header and the salt
	head   int   // the end of the head
	ends   []int // of the segments
	end    int   // of the last of them
}

func layoutOf(t *testing.T, s *sample, file []byte) layout {
	t.Helper()
	header, _, err := ReadHeader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	head, err := encodeHead(&s.head)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{header: len(header) + saltSize, head: len(magic) + markSize + frameHeader + len(head)}
	l.end = l.head
	for i := range s.segments {
		l.end += frameHeader + segmentHeader + len(s.segments[i].Data)
		l.ends = append(l.ends, l.end)
	}
	return l
}

// without lists the segments that can be read when the plaintext from one offset
// to another is bad; ok is false if not even the head can be.
func (l *layout) without(from, to int) (segments []int, ok bool) {
	begin := l.head
	for i, end := range l.ends {
		if end <= from || begin >= to {
			segments = append(segments, i)
		}
		begin = end
	}
	return segments, from >= l.head
}

// chunkAt is the plaintext of the chunk that a byte of the file is of.
func (l *layout) chunkAt(n int) (from, to int) {
	if n < l.header {
		return 0, math.MaxInt
	}
	chunk := (n - l.header) / sealedChunk
	return chunk * chunkSize, (chunk + 1) * chunkSize
}

// expect holds what is read of a file, in order and at random, against what can
// be when the plaintext from one offset to another is bad.
func (l *layout) expect(s *sample, k keys, file []byte, from, to int) error {
	want, ok := l.without(from, to)
	r, err := NewReader(bytes.NewReader(file), k.recovery)
	if !ok {
		if err == nil {
			return errors.New("it opens")
		}
		return nil
	}
	if err != nil {
		return err
	}
	got, err := readAll(r)
	if !isDamage(err) || len(got) != len(want) {
		return fmt.Errorf("%d segments and %w, want %d", len(got), err, len(want))
	}
	for i := range got {
		if original := &s.segments[want[i]]; !bytes.Equal(got[i].Data, original.Data) || got[i].MinTime != original.MinTime {
			return fmt.Errorf("segment %d has changed", i)
		}
	}
	f, err := Open(bytes.NewReader(file), nil, k.machine)
	if err != nil {
		return err
	}
	if f.Damage == nil || f.Found.Segments != len(want) {
		return fmt.Errorf("at random: %d segments, want %d: %w", f.Found.Segments, len(want), f.Damage)
	}
	packets, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err != nil || uint64(len(packets)) != f.Found.Packets {
		return fmt.Errorf("%d of %d packets, %w", len(packets), f.Found.Packets, err)
	}
	if at := f.Damage.FileOffset; at < 0 || at > int64(len(file)) {
		return fmt.Errorf("it is said to be damaged at %d of %d", at, len(file))
	}
	return nil
}

// steps are the places to damage: all of the header and of the first chunk's
// beginning, those around the ends of chunks, and some of all others.
func steps(l layout, length int) (at []int) {
	for i := 0; i < length; i++ {
		off := (i - l.header + 3*sealedChunk) % sealedChunk
		near := off < 3 || off > sealedChunk-3 || off > chunkSize-3 && off < chunkSize+3
		if i < 8 || i%61 == 0 && i < l.header+1000 || near && i > l.header-5 || i > length-3 || i%9973 == 0 {
			at = append(at, i)
		}
	}
	return at
}

// Of a file that ends anywhere, all chunks that are whole can be read.
func TestTruncated(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(9, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	l := layoutOf(t, s, file)
	if len(file) < 2*sealedChunk {
		t.Fatalf("the file has %d bytes only", len(file))
	}
	for _, n := range steps(l, len(file)) {
		from, _ := l.chunkAt(n)
		if err := l.expect(s, k, file[:n], from, math.MaxInt); err != nil {
			t.Errorf("cut at %d of %d: %v", n, len(file), err)
		}
	}
}

// Where a bit has changed, all that is not in the same chunk can be read.
func TestFlippedBits(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(10, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	l := layoutOf(t, s, file)
	for _, n := range steps(l, len(file)) {
		from, to := l.chunkAt(n)
		for bit := range 8 {
			file[n] ^= 1 << bit
			if err := l.expect(s, k, file, from, to); err != nil {
				t.Errorf("bit %d of byte %d of %d: %v", bit, n, len(file), err)
			}
			file[n] ^= 1 << bit
			if n > l.header {
				break // one bit is as any other there
			}
		}
	}
}

// What is put behind a file is noticed, and costs nothing.
func TestTrailing(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(11, 1)), 5)
	k := newKeys(t)
	l := layoutOf(t, s, s.seal(t, k))
	plain := plaintext(t, s)
	for _, test := range []struct {
		name     string
		file     []byte
		readable int
	}{
		{"in the plaintext", sealPlain(append(bytes.Clone(plain), 0)), 5},
		{"an end in the middle", sealPlain(append(bytes.Clone(plain), plain[l.end:]...)), 5},
		{"no end", sealPlain(plain[:l.end]), 5},
		{"no head", sealPlain(nil), -1},
		{"nothing but the magic", sealPlain([]byte(magic)), -1},
		{"other magic", sealPlain(append([]byte("packetcache\n\x01\x00\x00\x00"), plain[len(magic):]...)), -1},
		{"version 2 inside", sealPlain(append([]byte("PacketCache\n\x02\x00\x00\x00"), plain[len(magic):]...)), -1},
	} {
		r, err := NewReader(bytes.NewReader(test.file), fixedKey())
		if test.readable < 0 {
			if !isDamage(err) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if list, err := readAll(r); len(list) != test.readable || !isDamage(err) {
			t.Errorf("%s: %d segments, %v", test.name, len(list), err)
		}
	}
}

// Many places can be damaged, and the disk may be what fails.
func TestDamagedPlaces(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(12, 1)), 30, 30, 30)
	k := newKeys(t)
	file := s.seal(t, k)
	l := layoutOf(t, s, file)
	chunks := (len(file) - l.header) / sealedChunk
	if chunks < 8 {
		t.Fatalf("%d chunks", chunks)
	}
	broken := errors.New("input/output error")
	disk := &badDisk{src: bytes.NewReader(file), err: broken}
	lost := map[int]bool{}
	for _, chunk := range []int{2, 3, 6} {
		at := l.header + chunk*sealedChunk
		file[at+777] ^= 0x10
		from, to := l.chunkAt(at)
		disk.bad = append(disk.bad, int64(at))
		have := map[int]bool{}
		readable, _ := l.without(from, to)
		for _, i := range readable {
			have[i] = true
		}
		for i := range s.segments {
			lost[i] = lost[i] || !have[i]
		}
	}
	want := len(s.segments)
	for _, gone := range lost {
		if gone {
			want--
		}
	}
	for name, src := range map[string]io.ReaderAt{"bits": bytes.NewReader(file), "disk": disk} {
		r, err := NewReader(src, k.machine)
		if err != nil {
			t.Fatal(err)
		}
		list, err := readAll(r)
		var damage *DamageError
		if !errors.As(err, &damage) || damage.Places != 2 || damage.FileOffset != int64(l.header+2*sealedChunk) || len(list) != want {
			t.Errorf("%s: %d segments and %+v, want %d", name, len(list), err, want)
		}
		if name == "disk" && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		if end, ok := r.End(); !ok || end != s.end {
			t.Errorf("%s: the end is %v, %t", name, end, ok)
		}
		if again := r.Next(new(record.Segment)); !errors.Is(again, err) {
			t.Errorf("%s: then %v", name, again)
		}
	}
	disk.bad = nil
	for chunk := 1; chunk <= chunks; chunk++ {
		disk.bad = append(disk.bad, int64(l.header+chunk*sealedChunk))
	}
	disk.asked = 0
	r, err := NewReader(disk, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(r); !isDamage(err) || disk.asked > maxFailures {
		t.Errorf("a disk that fails throughout was asked %d times: %v", disk.asked, err)
	}
}

// A badDisk cannot read what begins at some places.
type badDisk struct {
	src   io.ReaderAt
	bad   []int64
	err   error
	asked int
}

func (d *badDisk) ReadAt(b []byte, at int64) (int, error) {
	if slices.Contains(d.bad, at) {
		d.asked++
		return len(b) / 2, d.err
	}
	return d.src.ReadAt(b, at)
}

// A file that changes between the two readings loses what has changed only.
func TestChangedMeanwhile(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(13, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	f, err := Open(bytes.NewReader(file), nil, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	file[len(file)-5] ^= 1
	list, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err == nil || len(list) == 0 || len(list) >= len(s.packets) {
		t.Errorf("%d of %d packets, %v", len(list), len(s.packets), err)
	}
}

// The caller can end the reading.
func TestLook(t *testing.T) {
	k := newKeys(t)
	file := newSample(rand.New(rand.NewPCG(14, 1)), 9, 9).seal(t, k)
	enough := errors.New("enough")
	for at := int64(0); at < int64(len(file)); at += 70_000 {
		look := func(done int64) error {
			if done >= at {
				return enough
			}
			return nil
		}
		if _, err := Open(bytes.NewReader(file), look, k.machine); !errors.Is(err, enough) {
			t.Errorf("at %d: %v", at, err)
		}
		if _, err := Verify(bytes.NewReader(file), look, k.machine); !errors.Is(err, enough) {
			t.Errorf("verifying, at %d: %v", at, err)
		}
	}
}

// The mark is found wherever it stands, across the end of a chunk as well, unless
// what is damaged has part of it.
func TestSkip(t *testing.T) {
	mark := []byte(testMark)
	for _, at := range []int{chunkSize - 4, chunkSize, chunkSize + 1, 2*chunkSize - 9, 2*chunkSize - 8, 2*chunkSize - 7, 2*chunkSize - 1, 2 * chunkSize, 3*chunkSize - 8, 3*chunkSize - 3} {
		plain := bytes.Repeat([]byte("8 rando"), 3*chunkSize/7+1)[:3*chunkSize]
		plain = append(append(plain[:at:at], mark...), "found"...)
		plain = append(plain, bytes.Repeat([]byte{'x'}, 7)...)
		file := sealPlain(plain)
		header := len(fixed().header)
		file[header+saltSize] ^= 1
		p, err := newPayload(bytes.NewReader(file), fixed().key, int64(header))
		if err != nil {
			t.Fatal(err)
		}
		s := newStream(p)
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, errTampered) {
			t.Fatal(err)
		}
		found := s.skip(mark)
		if found != (at >= chunkSize) {
			t.Errorf("with the mark at %d: %t", at, found)
		}
		if !found {
			continue
		}
		if got := s.at(); got != int64(at+len(mark)) {
			t.Errorf("with the mark at %d it goes on at %d", at, got)
		}
		var next [5]byte
		if _, err := io.ReadFull(s, next[:]); err != nil || string(next[:]) != "found" {
			t.Errorf("with the mark at %d there follows %q, %v", at, next, err)
		}
	}
}
