package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestNewRefusesSmallBudgets(t *testing.T) {
	for _, n := range []int{-1, 0, 1, MinBytes - 1} {
		if c, err := New(Options{Bytes: n}); err == nil {
			t.Errorf("a cache of %d bytes: %v", n, c.Close())
		} else if !strings.Contains(err.Error(), "at least") {
			t.Errorf("%v does not say how much it takes", err)
		}
	}
	for _, n := range []int{MinBytes, MinBytes + 1, 40<<20 + 12345} {
		c, err := New(Options{Bytes: n})
		if err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Budget != n || s.Used > n {
			t.Errorf("a cache of %d bytes has a budget of %d and uses %d", n, s.Budget, s.Used)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestInterfaces(t *testing.T) {
	c, err := New(Options{Bytes: smallBudget})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	announce := func(name string, link packet.LinkType, description string) packet.InterfaceID {
		t.Helper()
		id, err := c.Interface(packet.Interface{Name: name, LinkType: link, Description: description})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if a, b := announce("eth0", packet.LinkTypeEthernet, "old"), announce("eth0", packet.LinkTypeRaw, ""); a != 0 || b != 1 {
		t.Errorf("numbers %d and %d", a, b)
	}
	if id := announce("eth0", packet.LinkTypeEthernet, "new"); id != 0 {
		t.Errorf("the same interface is number %d when it comes again", id)
	}
	if all, _ := c.Interfaces(); len(all) != 2 || all[0].Description != "new" {
		t.Errorf("%+v", all)
	}
	for n := 2; n < maxInterfaces; n++ {
		announce(fmt.Sprint("if", n), packet.LinkTypeEthernet, "")
	}
	if id, err := c.Interface(packet.Interface{Name: "one too many"}); err == nil || !strings.Contains(err.Error(), "one too many") {
		t.Errorf("interface %d of %d; %v", id, maxInterfaces, err)
	}
	if id := announce("if7", packet.LinkTypeEthernet, ""); id != 7 {
		t.Errorf("a known interface is number %d when there is no room for others", id)
	}
}

func TestRefused(t *testing.T) {
	c := newCache(t, Options{Bytes: smallBudget})
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	good := packet.Packet{Data: k.appendTo(nil, false, 0, 100, 1)}
	unknown, long := good, good
	unknown.Interface = packet.InterfaceID(len(interfaces))
	long.Data = make([]byte, packet.MaxLen+1)
	c.Append([]packet.Packet{good, unknown, long, good, unknown})
	s := c.Stats()
	checkStats(t, &s)
	if s.Seen != (Count{5, 400 + packet.MaxLen + 1}) || s.Stored != (Count{2, 200}) ||
		len(s.Refused) != 2 || s.Refused[RefusedInterface] != (Count{2, 200}) || s.Refused[RefusedTooLong] != (Count{1, packet.MaxLen + 1}) {
		t.Errorf("%+v", s)
	}
	_, all := c.Interfaces()
	if want := (InterfaceStats{Seen: Count{3, 200 + packet.MaxLen + 1}, Refused: Count{1, packet.MaxLen + 1}}); all[0] != want || all[0].Stored() != (Count{2, 200}) {
		t.Errorf("%+v, want %+v", all[0], want)
	}
	for r := range numRefusals + 1 {
		if known := r.String() != "unknown"; known != (r < numRefusals) {
			t.Errorf("refusal %d is %q", r, r)
		}
	}
}

// TestMadTimes: no timestamp ages a replay by more than maxStep, and live
// capture does not look at them.
func TestMadTimes(t *testing.T) {
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	const minTime, maxTime = -1 << 63, 1<<63 - 1
	var batch []packet.Packet
	for _, at := range []int64{minTime, maxTime, 0, 1.8e18, minTime, maxTime, -1, 5} {
		batch = append(batch, packet.Packet{Time: at, Data: k.appendTo(nil, false, 0, 100, uint64(at))})
	}
	live := newCache(t, Options{Bytes: smallBudget, Boot: func() int64 { return 77 }})
	live.Append(batch)
	if s := live.Stats(); s.Age != 0 {
		t.Errorf("live, mad timestamps aged the cache by %v", s.Age)
	}
	replayed := newCache(t, Options{Bytes: smallBudget})
	replayed.Replay(batch)
	if s := replayed.Stats(); s.Age < time.Duration(maxStep) || s.Age > 4*time.Duration(maxStep) {
		t.Errorf("in a replay, mad timestamps aged the cache by %v", s.Age)
	}
	for _, c := range []*Cache{live, replayed} {
		r := c.NewReader()
		r.Begin(All)
		got := times(r)
		for i := range got {
			if i > 0 && got[i] < got[i-1] {
				t.Errorf("%v is not in order", got)
			}
		}
		if s := c.Stats(); len(got) != len(batch) || s.Oldest != minTime || s.Newest != maxTime {
			t.Errorf("%d packets, from %d to %d", len(got), s.Oldest, s.Newest)
		}
	}
}

func TestClassStart(t *testing.T) {
	for class, want := range []uint64{0, 1 << 10, 2 << 10, 4 << 10, 8 << 10} {
		if got := ClassStart(class); got != want {
			t.Errorf("class %d starts at %d, want %d", class, got, want)
		}
	}
	for class := range NumClasses {
		start := ClassStart(class)
		if classOfByte(start) != class || start > 0 && classOfByte(start-1) != class-1 {
			t.Errorf("class %d starts at %d", class, start)
		}
	}
}
