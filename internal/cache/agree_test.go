package cache

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A world makes random packets for a cache and its model.
type world struct {
	random *rand.Rand
	talks  []*talk
	wall   int64 // what packets take as their time
	boot   int64
	serial uint64
	replay bool
}

func newWorld(seed uint64, replay bool) *world {
	random := rand.New(rand.NewPCG(seed, 7))
	return &world{random: random, talks: manyTalks(300, random), wall: 1.8e18, boot: 5e15, replay: replay}
}

// A step is a packet and what the model needs to know of it.
type step struct {
	k     *talk
	flags byte
	p     packet.Packet
}

// pass lets some time go by, and now and then sets the clock on the wall.
func (w *world) pass() {
	var d time.Duration
	switch n := w.random.IntN(1000); {
	case n < 500:
	case n < 940:
		d = time.Duration(w.random.IntN(int(20 * time.Millisecond)))
	case n < 990:
		d = time.Duration(w.random.IntN(int(10 * time.Second)))
	case n < 998:
		d = time.Duration(w.random.IntN(int(4 * time.Minute)))
	default:
		d = time.Duration(w.random.IntN(int(20 * time.Minute)))
	}
	w.wall += int64(d)
	w.boot += int64(d)
}

// next makes a packet.
func (w *world) next() step {
	r := w.random
	k := w.talks[r.IntN(len(w.talks))]
	switch r.IntN(4) {
	case 0:
		k = w.talks[r.IntN(8)] // few are long
	case 1:
		k = w.talks[r.IntN(60)]
	}
	flags := []byte{tcpSYN, tcpSYN | tcpACK, tcpACK, tcpACK, tcpACK, tcpACK, tcpACK, tcpACK, tcpFIN | tcpACK, tcpRST}[r.IntN(10)]
	var size int
	switch n := r.IntN(1000); {
	case n < 400:
		size = r.IntN(100)
	case n < 800:
		size = 100 + r.IntN(1400)
	case n < 990:
		size = 1500 + r.IntN(2000)
	case n < 998:
		size = r.IntN(65536)
	default:
		size = packet.MaxLen - r.IntN(2)*r.IntN(packet.MaxLen)
	}
	w.serial++
	data := k.appendTo(nil, !k.group && r.IntN(2) == 1, flags, size, w.serial)
	p := packet.Packet{Time: w.wall, Data: data, OrigLen: uint32(len(data)), Interface: k.iface, Direction: packet.Direction(r.IntN(3))}
	if k == w.talks[1] || k == w.talks[2] {
		p.OrigLen = packet.MaxLen // so that they reach the high classes
	}
	switch r.IntN(20) {
	case 0:
		p.OrigLen = uint32(min(len(data)+r.IntN(1000), packet.MaxLen)) // cut short
	case 1:
		p.OrigLen = 0 // the source does not know
	case 2:
		p.Time -= int64(r.IntN(int(5 * time.Millisecond))) // out of order
	case 3:
		p.Time -= p.Time % 1000
	}
	return step{k, flags, p}
}

// TestAgreesWithModel shows the same packets to a cache one by one, to another
// in batches, and to the model, which all must agree after every one.
func TestAgreesWithModel(t *testing.T) {
	packets := 60000
	if raceEnabled {
		packets = 16000
	}
	for name, test := range map[string]struct{ replay, compress, rules bool }{
		"live": {}, "replay": {replay: true}, "live with rules": {rules: true},
		"live, compressed": {compress: true}, "replay, compressed": {replay: true, compress: true},
		"replay with rules, compressed": {replay: true, compress: true, rules: true},
	} {
		t.Run(name, func(t *testing.T) {
			if raceEnabled && test.rules && test.compress {
				t.Skip("takes too long under the race detector")
			}
			t.Parallel()
			replay := test.replay
			w := newWorld(3, replay)
			single, batched := w.newCache(t, test.compress), w.newCache(t, false)
			m := newModel()
			packets := packets
			switch {
			case test.compress:
				packets /= 2
			case test.rules:
				packets /= 3 // of more logs
			}
			if test.rules {
				m = newModel(someRules...)
				setRules(t, single, someRules...)
				setRules(t, batched, someRules...)
			}
			start := w.boot
			var judge judge
			var views []*view
			for m.serial < packets {
				w.pass()
				var batch []packet.Packet
				for range 1 + w.random.IntN(1+w.random.IntN(100)) {
					s := w.next()
					batch = append(batch, s.p)
					if !replay {
						m.now = w.boot - start
					} else {
						m.replayTo(s.p.Time)
					}
					m.add(s.k, s.flags, &s.p)
					w.feed(single, []packet.Packet{s.p})
					if test.compress && !replay && w.random.IntN(20) == 0 {
						single.tendNext() // on a busy machine nobody else may come to it
					}
					evicted := m.follow(t, single)
					m.checkFull(t, single, evicted)
					judge.see(m, evicted)
				}
				if !test.compress { // which frees memory at its own times
					w.feed(batched, batch)
					if a, b := single.Stats(), batched.Stats(); !reflect.DeepEqual(a, b) {
						t.Fatalf("packet %d: one by one: %+v\nin batches: %+v", m.serial, a, b)
					}
				}
				views = w.readOn(t, views, m, single)
			}
			for _, v := range views {
				v.read(t, -1)
				v.finish(t)
			}
			m.checkContents(t, single)
			if !test.compress {
				m.checkContents(t, batched)
			}
			judge.decide(t, m, 2, MinBytes/8, packets/100)
			s := single.Stats()
			t.Logf("%d packets, %d evicted, %d of them unanswered; %d sessions in %v; the judge compared %d choices; %s",
				m.serial, s.Evicted.Packets, s.Unanswered.Evicted.Packets, s.Sessions.Seen, s.Age, judge.compared, compression(&s))
			if compressed := s.Classes[0].Compressed > 0; compressed != test.compress {
				t.Errorf("class 0 is compressed: %v", compressed)
			}
		})
	}
}

// compression says how far segments are compressed.
func compression(s *Stats) string {
	var n, packed, unpacked int
	for _, class := range s.Classes {
		n, packed, unpacked = n+class.Compressed, packed+class.Packed, unpacked+class.Unpacked
	}
	return fmt.Sprintf("%d segments hold %d bytes in %d", n, unpacked, packed)
}

func (w *world) newCache(t *testing.T, compress bool) *Cache {
	t.Helper()
	return newCache(t, Options{Compress: compress, Bytes: MinBytes, Most: 4 * smallBudget, Bias: 2, Boot: func() int64 { return w.boot }})
}

func (w *world) feed(c *Cache, batch []packet.Packet) {
	if w.replay {
		c.Replay(batch)
	} else {
		c.Append(batch)
	}
}

// readOn lets a few readers begin, go on, and come to their end.
func (w *world) readOn(t *testing.T, views []*view, m *model, c *Cache) []*view {
	t.Helper()
	switch n := w.random.IntN(300); {
	case n == 0:
		m.checkContents(t, c)
	case n < 4 && len(views) < 3:
		q := All
		if w.random.IntN(2) == 0 {
			q = Query{Since: w.wall - w.random.Int64N(int64(time.Hour)), Until: w.wall - w.random.Int64N(int64(time.Minute))}
		}
		views = append(views, beginView(c, m, q))
	}
	for i, v := range views {
		v.read(t, w.random.IntN(120))
		if v.ended {
			v.finish(t)
			return append(views[:i:i], views[i+1:]...)
		}
	}
	return views
}
