package cache

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestResizeAgreesWithModel changes the budget again and again while packets
// come and readers read. The model does not know of budgets: what the cache
// says that it evicted must be the oldest of each class, and all else there.
func TestResizeAgreesWithModel(t *testing.T) {
	packets := 15000
	if raceEnabled {
		packets = 8000
	}
	for name, replay := range map[string]bool{"live": false, "replay": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most = 3 * smallBudget
			w := newWorld(5, replay)
			c := newCache(t, Options{Bytes: smallBudget, Most: most, Bias: 2, Compress: true, Boot: func() int64 { return w.boot }})
			m := newModel()
			start := w.boot
			var views []*view
			shrunk, grown := 0, 0
			for m.serial < packets {
				w.pass()
				s := w.next()
				if !replay {
					m.now = w.boot - start
				} else {
					m.replayTo(s.p.Time)
				}
				m.add(s.k, s.flags, &s.p)
				w.feed(c, []packet.Packet{s.p})
				if w.random.IntN(20) == 0 {
					c.tendNext()
				}
				m.follow(t, c)
				if w.random.IntN(100) == 0 {
					before := c.Stats()
					bytes := smallBudget + w.random.IntN(most-smallBudget)
					if err := c.Resize(bytes); err != nil {
						t.Fatal(err)
					}
					m.follow(t, c)
					checkResized(t, before, c.Stats(), bytes)
					if bytes < before.Budget {
						shrunk++
					} else {
						grown++
					}
				}
				views = w.readOn(t, views, m, c)
			}
			for _, v := range views {
				v.read(t, -1)
				v.finish(t)
			}
			m.checkContents(t, c)
			s := c.Stats()
			if s.Evicted.Packets == 0 || shrunk < packets/1000 || grown < packets/1000 {
				t.Errorf("%d packets evicted, %d times smaller, %d times larger", s.Evicted.Packets, shrunk, grown)
			}
		})
	}
}

// checkResized: a cache loses nothing when it grows, and no more than it must
// when it shrinks.
func checkResized(t *testing.T, before, after Stats, bytes int) {
	t.Helper()
	if after.Budget != bytes {
		t.Fatalf("a cache of %d bytes was resized to %d and has %d", before.Budget, bytes, after.Budget)
	}
	if after.Sessions.Used > before.Sessions.Used || after.Sessions.Seen != before.Sessions.Seen {
		t.Fatalf("sessions were %+v and are %+v", before.Sessions, after.Sessions)
	}
	evicted := after.Evicted.Packets - before.Evicted.Packets
	unanswered := after.Unanswered.Evicted.Packets - before.Unanswered.Evicted.Packets
	switch {
	case evicted == 0:
	case bytes > before.Budget:
		t.Fatalf("%d packets were evicted when the cache grew from %d to %d bytes", evicted, before.Budget, bytes)
	// One segment can hold a packet of 256 KiB beside others.
	case evicted > unanswered && after.Budget-after.Used > maxSegment+packet.MaxLen+4*pageSize:
		t.Fatalf("%d packets were evicted to shrink from %d to %d bytes, %d of which are unused now", evicted, before.Budget, bytes, after.Budget-after.Used)
	}
}

// TestResizeUses: what a cache has been given it fills, and what is asked for
// beyond the bounds it refuses as it is.
func TestResizeUses(t *testing.T) {
	tp := newTape(t, Options{Bytes: smallBudget, Most: 8 * smallBudget, Bias: 2})
	talks := manyTalks(200, rand.New(rand.NewPCG(4, 4)))
	fill := func(bytes int) {
		t.Helper()
		for n := 0; n < 2*bytes; n += 1000 {
			tp.add(talks[n/1000%len(talks)], false, 1000)
		}
		if s := tp.c.Stats(); s.Budget != bytes || s.Used < bytes*9/10 {
			t.Errorf("of %d bytes %d are used, the budget is %d", bytes, s.Used, s.Budget)
		}
	}
	for _, bytes := range []int{smallBudget, 8 * smallBudget, 3 * smallBudget, 3*smallBudget + 4096, smallBudget, 2 * smallBudget} {
		if err := tp.c.Resize(bytes); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []int{0, -1, MinBytes - 1, 8*smallBudget + 1} {
			if err := tp.c.Resize(wrong); err == nil || !strings.Contains(err.Error(), "it can have from") {
				t.Errorf("Resize(%d): %v", wrong, err)
			}
		}
		fill(bytes)
	}
	if err := tp.c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tp.c.Resize(smallBudget); !errors.Is(err, errClosed) {
		t.Errorf("a closed cache was resized: %v", err)
	}
}

// TestResizeKeepsFirstPackets: a first packet that waits for its answer is found
// after the cache has changed its size, and moves on.
func TestResizeKeepsFirstPackets(t *testing.T) {
	tp := newTape(t, Options{Bytes: 8 * smallBudget, Most: 8 * smallBudget, Bias: 2})
	var waiting []*talk
	for n := range uint32(300) {
		k := &talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: n}
		waiting = append(waiting, k)
		tp.add(k, false, 80)
		tp.add(&talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: n % 7}, n%2 == 0, 1200)
	}
	for _, bytes := range []int{smallBudget, 5 * smallBudget, 2 * smallBudget} {
		if err := tp.c.Resize(bytes); err != nil {
			t.Fatal(err)
		}
	}
	if s := tp.c.Stats(); s.Unanswered.Held.Packets != 300 {
		t.Fatalf("%d of 300 first packets wait", s.Unanswered.Held.Packets)
	}
	for _, k := range waiting {
		tp.add(k, true, 80)
	}
	if s := tp.c.Stats(); s.Unanswered.Held.Packets != 0 || s.Evicted.Packets != 0 || !s.Classes[0].Complete {
		t.Errorf("answered, %d first packets still wait; %v evicted", s.Unanswered.Held.Packets, s.Evicted)
	}
}

// BenchmarkResize halves a large cache and doubles it again, and measures for
// how long an append has to wait at most ("pause-ms").
func BenchmarkResize(b *testing.B) {
	const most = 256 << 20
	tp := newTape(b, Options{Bytes: most, Most: most, Bias: 2})
	talks := manyTalks(2000, rand.New(rand.NewPCG(6, 6)))
	n := 0
	add := func() time.Duration {
		n++
		start := time.Now()
		tp.add(talks[n%len(talks)], n%3 == 0, 1000)
		return time.Since(start)
	}
	for range most * 5 / 4 / 1000 {
		add()
	}
	var longest time.Duration
	for b.Loop() {
		for _, bytes := range []int{most / 2, most} {
			done := make(chan error)
			go func() { done <- tp.c.Resize(bytes) }()
			for resizing := true; resizing; {
				select {
				case err := <-done:
					if err != nil {
						b.Fatal(err)
					}
					resizing = false
				default:
					longest = max(longest, add())
				}
			}
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "pause-ms")
}
