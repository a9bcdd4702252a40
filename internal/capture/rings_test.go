package capture

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// ringsOf returns the ring of each interface that is open, and their sum.
func (b *bench) ringsOf() (rings map[string]int, sum int) {
	rings = map[string]int{}
	for _, s := range b.loop.Status() {
		if s.RingBytes > 0 {
			rings[s.Interface.Name] = s.RingBytes
			sum += s.RingBytes
		}
	}
	return rings, sum
}

func TestShare(t *testing.T) {
	for _, c := range []struct{ total, up, down, want int }{
		{1 << 20, 1, 0, 512 << 10},
		{1 << 20, 1, 2, 256 << 10},
		{1 << 20, 10, 0, 256 << 10},
		{64 << 20, 3, 0, 16 << 20},
		{64 << 20, 0, 2, 32 << 20},
		{64 << 20, 1, 4, 16 << 20},
		{4 << 30, 1, 0, DefaultMaxRing},
		{0, 1, 0, DefaultMinRing},
	} {
		if got := (Config{RingBytes: c.total}).share(c.up, c.down); got != c.want {
			t.Errorf("share of %d KiB with %d up, %d down is %d KiB, want %d", c.total>>10, c.up, c.down, got>>10, c.want>>10)
		}
	}
}

// However many interfaces come, rings stay within the memory, each has at least
// the least, and those for which there is none say so.
func TestRingsStayWithinMemory(t *testing.T) {
	const total = 2 << 20
	inBubble(t, newFake(), Config{RingBytes: total}, func(b *bench) {
		var links []Link
		for n := 1; n <= 10; n++ {
			links = append(links, eth(fmt.Sprint("eth", n), n))
			b.become(links...)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			rings, sum := b.ringsOf()
			if sum > total {
				t.Fatalf("%d interfaces have %d KiB: %v", n, sum>>10, rings)
			}
			if want := min(n, total/DefaultMinRing); len(rings) != want {
				t.Errorf("of %d interfaces %d are open, want %d: %v", n, len(rings), want, rings)
			}
			for name, ring := range rings {
				if ring < DefaultMinRing {
					t.Errorf("%s has a ring of %d bytes", name, ring)
				}
			}
		}
		b.want("eth10", StateFailed)
		b.become(links[2:]...) // two go: there is room again
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		b.want("eth10", StateCapturing)
	})
}

func TestRingsDoNotChangeWithoutNeed(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 1)), Config{RingBytes: 8 << 20}, func(b *bench) {
		b.become(eth("eth0", 1), eth("tun0", 2))
		time.Sleep(time.Minute)
		if n := b.opens("eth0"); n != 1 {
			t.Errorf("eth0 was opened %d times for one more interface", n)
		}
	})
}

func TestRingGrowsWhenItDrops(t *testing.T) {
	down := eth("eth0", 1)
	down.Up = false
	inBubble(t, newFake(down), Config{RingBytes: 8 << 20}, func(b *bench) {
		if rings, _ := b.ringsOf(); rings["eth0"] != (8<<20)/3 {
			t.Errorf("an interface that is down has %d bytes", rings["eth0"])
		}
		b.become(eth("eth0", 1))
		time.Sleep(time.Minute)
		if n := b.opens("eth0"); n != 1 {
			t.Errorf("opened %d times without need", n)
		}
		b.source("eth0").count(100, 7)
		time.Sleep(checkDrops + time.Second)
		synctest.Wait()
		rings, _ := b.ringsOf()
		if s := b.status("eth0"); rings["eth0"] != 4<<20 || s.Dropped != 7 || s.State != StateCapturing {
			t.Errorf("after drops the ring has %d bytes and status is %+v", rings["eth0"], s)
		}
		b.source("eth0").count(100, 7) // no more to be had
		time.Sleep(time.Minute)
		if n := b.opens("eth0"); n != 2 {
			t.Errorf("opened %d times", n)
		}
	})
}

func TestRingsShrinkWithTheSetting(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 1), eth("eth1", 2)), Config{RingBytes: 30 << 20}, func(b *bench) {
		b.loop.SetConfig(Config{RingBytes: 3 << 20})
		time.Sleep(time.Minute)
		synctest.Wait()
		rings, sum := b.ringsOf()
		if sum > 3<<20 || len(rings) != 2 {
			t.Errorf("rings %v after the memory became 3 MiB", rings)
		}
	})
}
