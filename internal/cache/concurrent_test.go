package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// TestConcurrent: two goroutines append, four read, one looks at the figures,
// one compresses without rest. What is read is whole.
func TestConcurrent(t *testing.T) {
	concurrently(t, smallBudget, func(c *Cache, stop *atomic.Bool) {
		for !stop.Load() {
			c.compressNext()
		}
	})
}

// TestConcurrentIndex: the same in a cache that now is large enough for an index
// and now is not.
func TestConcurrentIndex(t *testing.T) {
	concurrently(t, minIndexed, func(c *Cache, stop *atomic.Bool) {
		random := rand.New(rand.NewPCG(7, 8))
		for !stop.Load() {
			for range random.IntN(100) {
				c.tendNext()
			}
			if err := c.Resize(minIndexed/2 + random.IntN(minIndexed)); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

// TestConcurrentResize: the same while the cache grows and shrinks, and
// compresses as it finds time.
func TestConcurrentResize(t *testing.T) {
	concurrently(t, smallBudget, func(c *Cache, stop *atomic.Bool) {
		random := rand.New(rand.NewPCG(8, 8))
		for !stop.Load() {
			if err := c.Resize(smallBudget + random.IntN(3*smallBudget)); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

// TestConcurrentRules: the same while the rules change, and the budget.
func TestConcurrentRules(t *testing.T) {
	concurrently(t, smallBudget, func(c *Cache, stop *atomic.Bool) {
		random := rand.New(rand.NewPCG(9, 9))
		for !stop.Load() {
			rules := []Rule{every("a", 4, 3, 0), every("b", 0.1, 3, 1), every("c", float64(random.IntN(3)), 3, 2)}
			if err := c.SetRules(rules[random.IntN(len(rules)):]); err != nil {
				t.Error(err)
				return
			}
			if err := c.Resize(MinBytes + random.IntN(MinBytes)); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

// concurrently works on a cache from all sides, and does something else with
// it meanwhile.
func concurrently(t *testing.T, budget int, other func(c *Cache, stop *atomic.Bool)) {
	c := newCache(t, Options{Bytes: budget, Most: 4 * budget, Bias: 2, Compress: true})
	var stop atomic.Bool
	var appended, read, statsSeen atomic.Uint64
	var wg sync.WaitGroup
	for appender := range 2 {
		wg.Go(func() {
			talks := make([]*talk, 100)
			for i := range talks {
				talks[i] = &talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: uint32(appender*1000 + i)}
			}
			batch := make([]packet.Packet, 50)
			for serial := uint64(0); !stop.Load(); {
				for i := range batch {
					serial++
					k := talks[serial%100]
					data := k.appendTo(batch[i].Data[:0], serial%3 == 0, tcpACK, 64+int(serial%1400), serial)
					batch[i] = packet.Packet{Time: int64(serial), Data: data, Interface: packet.InterfaceID(appender * 3)}
				}
				c.Append(batch)
				appended.Add(uint64(len(batch)))
			}
		})
	}
	for reader := range 4 {
		q := All
		if reader == 0 {
			q.Addresses = [][]netip.Addr{{netip.MustParseAddr("10.0.0.50"), netip.MustParseAddr("10.0.0.60")}}
		}
		wg.Go(func() {
			r := c.NewReader()
			var p packet.Packet
			var want []byte
			for !stop.Load() {
				r.Begin(q)
				for n := uint64(0); r.Next(&p); n++ {
					k := talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: binary.BigEndian.Uint32(addressOfA(p.Data)) - 0x0a000000}
					serial := uint64(p.Time)
					want = k.appendTo(want[:0], serial%3 == 0, tcpACK, 64+int(serial%1400), serial)
					if !bytes.Equal(p.Data, want) || int(k.n)/1000*3 != int(p.Interface) {
						t.Errorf("packet %d on interface %d is damaged", serial, p.Interface)
						return
					}
					read.Add(1)
				}
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			s := c.Stats()
			checkStats(t, &s)
			c.Interfaces()
			statsSeen.Add(1)
		}
	})
	wg.Go(func() { other(c, &stop) })
	for appended.Load() < 50000 || read.Load() < 50000 || statsSeen.Load() < 100 {
		if t.Failed() {
			break
		}
		c.Stats()
	}
	// checkStats does not hold of a closed cache.
	stop.Store(true)
	wg.Wait()
}

// addressOfA returns the address of side A in a packet of a talk.
func addressOfA(data []byte) []byte {
	if bytes.Equal(data[26:30], []byte{192, 168, 0, 1}) {
		return data[30:34]
	}
	return data[26:30]
}

// TestCloseInTheMiddle closes a cache while others use it.
func TestCloseInTheMiddle(t *testing.T) {
	for round := range 8 {
		w := newWorld(uint64(round), false)
		c := w.newCache(t, true)
		var batch []packet.Packet
		for range 300 {
			batch = append(batch, w.next().p)
		}
		var begun sync.WaitGroup
		var wg sync.WaitGroup
		for worker := range 7 {
			begun.Add(1)
			wg.Go(func() {
				r := c.NewReader()
				var p packet.Packet
				for i := range 40 {
					switch worker {
					case 0:
						c.Append(batch)
					case 1:
						c.Replay(batch)
					case 2:
						c.Stats()
						c.Interfaces()
						if err := c.Resize(smallBudget + i%3*smallBudget); err != nil && !errors.Is(err, errClosed) {
							t.Error(err)
						}
						if err := c.SetRules([]Rule{every("all", float64(i%3), 1, 0)}); err != nil && !errors.Is(err, errClosed) {
							t.Error(err)
						}
					default:
						r.Begin(All)
						for n := 0; n < 500 && r.Next(&p); n++ {
							_ = p.Data[:len(p.Data)]
						}
						r.Missing()
					}
					if i == 3 {
						begun.Done()
					}
				}
			})
		}
		begun.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// TestConcurrentSave: the same while the cache is saved and saved again. What is
// saved is whole.
func TestConcurrentSave(t *testing.T) {
	concurrently(t, smallBudget, func(c *Cache, stop *atomic.Bool) {
		for !stop.Load() {
			saveSome(t, c, stop)
			c.compressNext()
		}
	})
}

// saveSome saves a cache, and looks at what comes.
func saveSome(t *testing.T, c *Cache, stop *atomic.Bool) {
	saver := c.NewSaver()
	defer saver.End()
	state := saver.State()
	var s record.Segment
	for !stop.Load() && saver.Next(&s) {
		table := state.Tables[s.Table]
		if err := s.Check(func(id packet.InterfaceID) bool { return int(id) < len(table) && table[id].Name != "" }); err != nil {
			t.Error(err)
			return
		}
	}
}

// TestConcurrentRestore: the same while a cache is restored, once, and the budget
// and the rules change; then it is saved and cleared in turn.
func TestConcurrentRestore(t *testing.T) {
	reversed := slices.Clone(interfaces)
	slices.Reverse(reversed) // so that the first one has another number there
	first := newCacheOf(t, Options{Bytes: 2 * smallBudget, Bias: 2, Compress: true}, reversed...)
	k := talk{link: packet.LinkTypeEthernet, proto: ipTCP}
	for serial := uint64(0); serial < 30000; serial++ {
		k.n = uint32(serial % 100)
		data := k.appendTo(nil, serial%3 == 0, tcpACK, 64+int(serial%1400), serial)
		first.Append([]packet.Packet{{Time: int64(serial), Data: data, Interface: packet.InterfaceID(len(reversed) - 1)}})
	}
	saved := saveAll(t, first)
	concurrently(t, smallBudget, func(c *Cache, stop *atomic.Bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			random := rand.New(rand.NewPCG(11, 11))
			for !stop.Load() {
				if err := c.Resize(smallBudget + random.IntN(3*smallBudget)); err != nil {
					t.Error(err)
					return
				}
				rules := []Rule{every("a", 4, 3, 0), every("b", 0.1, 3, 1)}
				if err := c.SetRules(rules[random.IntN(len(rules)):]); err != nil {
					t.Error(err)
					return
				}
			}
		})
		r, err := c.NewRestorer(&saved.state, time.Hour)
		if err != nil {
			t.Error(err)
			return
		}
		for i := range saved.segments {
			if _, err := r.Add(&saved.segments[i]); err != nil {
				t.Error(err)
				return
			}
		}
		r.End()
		for n := 0; !stop.Load(); n++ {
			if saveSome(t, c, stop); n%4 == 3 {
				c.Clear()
			}
		}
	})
}
