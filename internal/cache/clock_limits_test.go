package cache

import (
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestClockOvertaken: who read the boot time first may come second to the
// cache's lock. No time counts twice for it.
func TestClockOvertaken(t *testing.T) {
	var c clock
	c.start(1000)
	for _, boot := range []int64{1100, 1200, 1150, 1250, 1240, 1250} {
		c.live(boot)
	}
	if c.now != 250 {
		t.Errorf("the clock shows %d after 250", c.now)
	}
}

// TestClockOfManyAppenders: the cache's clock runs with the system's however
// many append at once.
func TestClockOfManyAppenders(t *testing.T) {
	c := newCache(t, Options{Bytes: smallBudget, Bias: 2})
	ageBefore, before := c.Stats().Age, time.Now()
	var wg sync.WaitGroup
	for n := range 8 {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(n)}
		batch := make([]packet.Packet, 40)
		for i := range batch {
			batch[i].Data = k.appendTo(nil, i%2 == 1, 0, 200, uint64(i))
		}
		wg.Go(func() {
			for range 2000 {
				c.Append(batch)
			}
		})
	}
	wg.Wait()
	aged, passed := c.Stats().Age-ageBefore, time.Since(before)
	// The two clocks are not read at the same moment.
	if slack := 50 * time.Millisecond; aged > passed+slack {
		t.Errorf("the cache aged by %v in %v", aged, passed)
	}
}

// TestClockAtItsEnd: a replay whose timestamps jump back and forth by
// centuries brings the clock to its end. The cache goes on as a ring does.
func TestClockAtItsEnd(t *testing.T) {
	c := newCache(t, Options{Bytes: smallBudget, Bias: 2})
	var age time.Duration
	for i := range 20000 {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i)}
		p := packet.Packet{Time: int64(i%2) << 62, Data: k.appendTo(nil, false, 0, 1000, uint64(i))}
		c.Replay([]packet.Packet{p})
		s := c.Stats()
		if s.Age < age || len(s.Refused) > 0 {
			t.Fatalf("packet %d: the cache is %v old after %v, and refused %v", i, s.Age, age, s.Refused)
		}
		checkStats(t, &s)
		age = s.Age
	}
}
