//go:build soak

package cache

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// TestSoakRestore restores 4 GiB, saves them, and clears them, each while 100,000
// packets come in a second. None of it makes the capture wait for long.
func TestSoakRestore(t *testing.T) {
	const budget = 4 << 30
	template := manySegments(t, budget)
	c := newCache(t, Options{Bytes: budget, Bias: 2, Compress: true})
	began := time.Now()
	measure := func(what string, do func()) {
		var stop atomic.Bool
		waits := make(chan []time.Duration)
		go func() { waits <- appendSteadily(c, &stop) }()
		begun := time.Now()
		do()
		took := time.Since(begun)
		stop.Store(true)
		w := <-waits
		slices.Sort(w)
		late := w[len(w)*999/1000]
		t.Logf("%s: %v; of %d appends of 100 packets, half took %v, one in a thousand %v, one %v",
			what, took, len(w), w[len(w)/2], late, w[len(w)-1])
		// The rings of such a cache hold far more than that of this traffic, and a
		// machine at rest is far from it.
		if late > 250*time.Millisecond {
			t.Errorf("%s: capture waits for too long", what)
		}
	}
	measure("nothing else", func() { time.Sleep(3 * time.Second) })
	r, err := c.NewRestorer(&template.state, time.Since(began))
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	measure("restore", func() {
		for seg := (record.Segment{}); template.next(&seg); {
			ok, err := r.Add(&seg)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				kept++
			}
		}
		r.End()
	})
	s := c.Stats()
	t.Logf("%d segments kept, %d bytes of memory used of %d", kept, s.Used, s.Budget)
	if s.Used < budget*9/10 {
		t.Error("the cache is not full")
	}
	measure("save", func() {
		saver := c.NewSaver()
		segments := 0
		for seg := (record.Segment{}); saver.Next(&seg); {
			segments++
		}
		t.Logf("%d segments saved, %d packets missed", segments, saver.Missed())
	})
	measure("clear", c.Clear)
	if s := c.Stats(); s.Held().Packets > 1e6 { // what came meanwhile
		t.Errorf("%v held after all was cleared", s.Held())
	}
}

// appendSteadily appends 100 packets each millisecond, and returns how long each
// time took.
func appendSteadily(c *Cache, stop *atomic.Bool) (waits []time.Duration) {
	batch := make([]packet.Packet, 100)
	serial := uint64(time.Now().UnixNano())
	for next := time.Now(); !stop.Load(); next = next.Add(time.Millisecond) {
		for i := range batch {
			serial++
			k := talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: uint32(serial / 50 % 100000)}
			batch[i].Time = int64(serial)
			batch[i].Data = k.appendTo(batch[i].Data[:0], serial%3 == 0, tcpACK, 64+int(serial%500), serial)
		}
		time.Sleep(time.Until(next))
		begun := time.Now()
		c.Append(batch)
		waits = append(waits, time.Since(begun))
	}
	return waits
}

// A multitude is a saving of which the segments come again and again, older each
// time.
type multitude struct {
	state    record.State
	segments []record.Segment
	at       int
	rounds   int
	left     int // bytes
}

// manySegments makes one that fills so many bytes.
func manySegments(t *testing.T, bytes int) *multitude {
	t.Helper()
	w := newCrowd(t, Options{})
	for range 60 {
		w.say(1000)
	}
	for w.c.tendNext() {
	}
	saved := saveAll(t, w.c)
	m := &multitude{state: saved.state, segments: saved.segments, left: bytes}
	for i := range m.state.Logs {
		m.state.Logs[i].Segments *= 1000
	}
	return m
}

// next gives the segments of each log over and over, as many times for each.
func (m *multitude) next(s *record.Segment) bool {
	const rounds = 400
	if m.left <= 0 || m.at == len(m.segments) {
		return false
	}
	*s = m.segments[m.at]
	s.Newest += time.Duration(m.rounds) * time.Hour
	m.left -= len(s.Data)
	end := m.at + 1
	for end < len(m.segments) && m.segments[end].Log == s.Log {
		end++
	}
	if m.at++; m.at == end {
		if m.rounds++; m.rounds < rounds {
			for m.at > 0 && m.segments[m.at-1].Log == s.Log {
				m.at--
			}
		} else {
			m.rounds = 0
		}
	}
	return true
}
