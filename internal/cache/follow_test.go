package cache

import (
	"fmt"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A follower reads on and on, and holds what it gets against what was appended.
type follower struct {
	r        *Reader
	mark     Mark
	begun    bool
	expected map[content]int // appended since the mark
	appended uint64
	read     uint64
	missed   uint64
}

func (f *follower) append(p *packet.Packet) {
	if f.begun {
		f.expected[contentOf(p)]++
		f.appended++
	}
}

func contentOf(p *packet.Packet) content {
	return content{p.Time, string(p.Data), max(p.OrigLen, uint32(len(p.Data))), p.Interface, p.Direction}
}

// catchUp reads what came since the last time.
func (f *follower) catchUp(t *testing.T, c *Cache) {
	t.Helper()
	if !f.begun {
		f.begun, f.expected, f.r = true, map[content]int{}, c.NewReader()
		f.r.Begin(All)
		f.r.Mark(&f.mark)
		return
	}
	f.r.BeginAfter(All, &f.mark)
	f.r.Mark(&f.mark)
	var batch [50]packet.Packet
	last := int64(0)
	got := uint64(0)
	for n := f.r.Read(batch[:]); n > 0; n = f.r.Read(batch[:]) {
		for i := range batch[:n] {
			p := &batch[i]
			key := contentOf(p)
			if f.expected[key] == 0 {
				t.Fatalf("a packet of %d bytes and time %d came twice, or was there before", len(p.Data), p.Time)
			}
			f.expected[key]--
			if p.Time < last {
				t.Fatalf("time goes back by %d ns", last-p.Time)
			}
			last = p.Time
		}
		got += uint64(n)
	}
	if missing := f.r.Missing(); missing != f.appended-got {
		t.Fatalf("%d of %d packets came, and %d are said to be missing", got, f.appended, missing)
	}
	f.read += got
	f.missed += f.appended - got
	f.appended = 0
	clear(f.expected)
}

// TestFollow has followers of all speeds read a cache into which random packets
// come: each packet comes once, or is counted as missing.
func TestFollow(t *testing.T) {
	packets := 60000
	if raceEnabled {
		packets = 10000
	}
	for _, compress := range []bool{false, true} {
		for _, replay := range []bool{false, true} {
			t.Run(fmt.Sprintf("compress %t, replay %t", compress, replay), func(t *testing.T) {
				t.Parallel()
				w := newWorld(5, replay)
				c := w.newCache(t, compress)
				every := []int{1, 7, 100, 3000, 20000}
				followers := make([]follower, len(every))
				for n := range packets {
					w.pass()
					s := w.next()
					w.feed(c, []packet.Packet{s.p})
					for i := range followers {
						followers[i].append(&s.p)
						if n%every[i] == 0 {
							followers[i].catchUp(t, c)
						}
					}
					switch n % 9000 {
					case 4500:
						if err := c.Resize(smallBudget + w.random.IntN(smallBudget)); err != nil {
							t.Fatal(err)
						}
					case 8000:
						if err := c.SetRules([]Rule{{Filter: fmt.Sprint(n), Factor: float64(1 + n%3), Match: func(packet.LinkType, []byte, uint32) bool { return n%2 == 0 }}}); err != nil {
							t.Fatal(err)
						}
					}
				}
				for i := range followers {
					followers[i].catchUp(t, c)
					f := &followers[i]
					t.Logf("every %d packets: %d came, %d were missed", every[i], f.read, f.missed)
					if every[i] <= 7 && f.missed > 0 {
						t.Errorf("a follower that reads every %d packets misses %d", every[i], f.missed)
					}
					if f.read == 0 || every[i] > packets/4 && f.missed == 0 {
						t.Errorf("every %d packets: %d came and %d were missed, so nothing was tested", every[i], f.read, f.missed)
					}
				}
			})
		}
	}
}

// TestFollowFirstPackets: the first packet of a session moves when it is answered,
// and comes once all the same, at once.
func TestFollowFirstPackets(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	var f follower
	f.catchUp(t, tp.c)
	for n := range 200 {
		k := &talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: uint32(n)}
		for _, fromB := range []bool{false, true, false} {
			p := tp.add(k, fromB, 80)
			f.append(&p)
			if n%3 > 0 {
				f.catchUp(t, tp.c)
			}
		}
	}
	f.catchUp(t, tp.c)
	if f.read != 600 || f.missed != 0 {
		t.Errorf("%d of 600 packets came, %d were missed", f.read, f.missed)
	}
}

// TestFollowIsCheap: to look for what came takes no more in a full cache than in
// an empty one, since capture waits for it.
func TestFollowIsCheap(t *testing.T) {
	tp := newTape(t, Options{Bytes: 64 << 20, Bias: 2})
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	var batch [64]packet.Packet
	r := tp.c.NewReader()
	look := func() int {
		var m Mark
		r.Begin(All)
		r.Mark(&m)
		tp.add(k, false, 1400)
		r.BeginAfter(All, &m)
		begun := len(r.todo)
		if n := r.Read(batch[:]); n != 1 {
			t.Fatalf("%d packets came", n)
		}
		return begun
	}
	look()
	for range 60000 {
		tp.add(k, false, 1400)
	}
	if n := look(); n > 1 {
		t.Errorf("%d segments are begun for one packet", n)
	}
	var m Mark
	r.Begin(All)
	r.Mark(&m)
	adding := testing.AllocsPerRun(100, func() { tp.add(k, false, 100) })
	following := testing.AllocsPerRun(100, func() {
		tp.add(k, false, 100)
		r.BeginAfter(All, &m)
		for r.Read(batch[:]) > 0 {
		}
		r.Mark(&m)
	})
	if following > adding && !raceEnabled {
		t.Errorf("following allocates %v times a packet", following-adding)
	}
}
