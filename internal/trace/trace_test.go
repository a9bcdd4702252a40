package trace

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// udp makes a packet of an IPv4 host without link layer, of size bytes, from or
// to port 53 of a server.
func udp(at time.Duration, client uint16, size int, answer bool) packet.Packet {
	b := make([]byte, size)
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(size))
	copy(b[12:], []byte{10, 0, 0, 1, 192, 0, 2, 1})
	binary.BigEndian.PutUint16(b[20:], client)
	binary.BigEndian.PutUint16(b[22:], 53)
	binary.BigEndian.PutUint16(b[24:], uint16(size-20))
	if answer {
		copy(b[12:], []byte{192, 0, 2, 1, 10, 0, 0, 1})
		binary.BigEndian.PutUint16(b[20:], 53)
		binary.BigEndian.PutUint16(b[22:], client)
	}
	return packet.Packet{Time: int64(at), Data: b, OrigLen: uint32(size)}
}

// conversations are two sessions, the first with a packet that is there twice
// and one that comes late, and an ARP packet, which is not of UDP.
func conversations() []packet.Packet {
	arp := packet.Packet{Time: int64(5 * time.Second), Data: make([]byte, 28), OrigLen: 28}
	return []packet.Packet{
		udp(time.Second, 1, 1000, false),
		udp(2*time.Second, 1, 1000, true),
		udp(2*time.Second, 1, 1000, true),
		udp(4*time.Second, 2, 60, false),
		udp(3*time.Second, 1, 500, false),
		arp,
		udp(6*time.Second, 2, 90, true),
	}
}

func write(t *testing.T, packets []packet.Packet) File {
	t.Helper()
	b := pcapio.AppendHeader(nil, packet.LinkTypeRaw)
	for i := range packets {
		b = pcapio.AppendRecord(b, &packets[i])
	}
	path := filepath.Join(t.TempDir(), "small.pcap")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return File(path)
}

func index(t *testing.T, trace Trace) *Index {
	t.Helper()
	x, err := NewIndex(trace)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestIndex(t *testing.T) {
	x := index(t, write(t, conversations()))
	want := []Packet{
		{Time: 1e9, Length: 1000},
		{Time: 2e9, Length: 1000, Offset: 1000},
		{Time: 2e9, Length: 1000, Offset: 2000},
		{Time: 4e9, Length: 60, Session: 1},
		{Time: 3e9, Length: 500, Offset: 3000},
		{Time: 5e9, Length: 28, Session: 2},
		{Time: 6e9, Length: 90, Session: 1, Offset: 60},
	}
	for i := range x.Packets {
		x.Packets[i].data = 0
	}
	if !slices.Equal(x.Packets, want) {
		t.Errorf("packets %v, want %v", x.Packets, want)
	}
	sessions := []Session{{Talk: true, Packets: 4, Begun: 1e9}, {Talk: true, Packets: 2, Begun: 4e9}, {Packets: 1, Begun: 5e9}}
	if !slices.Equal(x.Sessions, sessions) {
		t.Errorf("sessions %v, want %v", x.Sessions, sessions)
	}
	if x.Bytes != 3678 || x.Duration() != 5*time.Second {
		t.Errorf("%d bytes in %v", x.Bytes, x.Duration())
	}
}

func TestWhatIsLeft(t *testing.T) {
	packets := conversations()
	x := index(t, write(t, packets))
	for _, test := range []struct {
		name     string
		kept     []int
		present  []int // as it can be told
		left     []Left
		complete [2]time.Duration // the first 1000 bytes, everything
		long     time.Duration    // everything of the session of four packets
	}{
		{"all", []int{0, 1, 2, 3, 4, 5, 6}, []int{0, 1, 2, 3, 4, 5, 6},
			[]Left{{Everything, true, false}, {Everything, true, false}, {Everything, true, false}}, [2]time.Duration{5e9, 5e9}, 5e9},
		{"nothing", nil, nil, []Left{{}, {}, {}}, [2]time.Duration{0, 0}, 2e9},
		{"heads", []int{0, 3, 5, 6}, []int{0, 3, 5, 6},
			[]Left{{1000, true, false}, {Everything, true, false}, {Everything, true, false}}, [2]time.Duration{5e9, 2e9}, 2e9},
		{"the second of twins, and a tail", []int{2, 4, 6}, []int{1, 4, 6},
			[]Left{{0, true, true}, {0, true, true}, {}}, [2]time.Duration{1e9, 1e9}, 4e9},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept := test.kept
			present, err := x.Present(func(p *packet.Packet) bool {
				if len(kept) == 0 {
					return false
				}
				*p, kept = packets[kept[0]], kept[1:]
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, here := range present {
				if here != slices.Contains(test.present, i) {
					t.Errorf("packet %d is there: %v", i, here)
				}
			}
			if left := x.Left(present); !slices.Equal(left, test.left) {
				t.Errorf("left are %v, want %v", left, test.left)
			}
			long := func(p *Packet) bool { return x.Sessions[p.Session].Packets == 4 }
			if age, _ := x.Complete(present, long); age != test.long {
				t.Errorf("the long session is complete for %v, want %v", age, test.long)
			}
			for i, first := range []uint64{1000, Everything} {
				age, all := x.Complete(present, func(p *Packet) bool { return p.Offset < first })
				if age != test.complete[i] || all != (age == x.Duration()) {
					t.Errorf("the first %d bytes are complete for %v (%v), want %v", first, age, all, test.complete[i])
				}
			}
		})
	}
}

func TestPresentKnowsTheTrace(t *testing.T) {
	packets := conversations()
	x := index(t, write(t, packets))
	stranger := udp(time.Second, 9, 1000, false)
	for name, p := range map[string]packet.Packet{
		"of another session": stranger, "at another time": udp(time.Minute, 1, 1000, false), "too often": packets[0],
	} {
		n := 0
		_, err := x.Present(func(q *packet.Packet) bool {
			*q = p
			n++
			return n <= 2
		})
		if err == nil || !strings.Contains(err.Error(), "was not in the trace, or comes twice") {
			t.Errorf("a packet %s: %v", name, err)
		}
	}
}

func TestCompressedFile(t *testing.T) {
	plain := write(t, conversations())
	b, err := os.ReadFile(string(plain))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "small.pcap.zst")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := len(index(t, File(path)).Packets), len(conversations()); got != want {
		t.Errorf("%d packets, want %d", got, want)
	}
}

func TestFilesThatAreNoTrace(t *testing.T) {
	for name, content := range map[string]string{"empty.pcap": "", "text.pcap": "not a capture", "text.pcap.zst": "not zstd"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewIndex(File(path)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewIndex(write(t, nil)); err == nil {
		t.Error("a trace without packets is indexed")
	}
}
