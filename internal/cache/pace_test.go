package cache

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestPace: how much of an hour compression takes, if segments of a class are
// there without end and each takes a millisecond.
func TestPace(t *testing.T) {
	for _, test := range []struct {
		name      string
		low, busy bool
		want      float64
	}{
		{"low classes have a quarter of a processor", true, false, lowShare},
		{"and less on a busy machine", true, true, lowShare * busyPart},
		{"high ones have a fiftieth", false, false, share},
		{"and less on a busy machine", false, true, share * busyPart},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Unix(1e9, 0)
			now, took := start, time.Duration(0)
			p := newPace(start)
			if test.busy {
				p.part = busyPart
			}
			for now.Sub(start) < time.Hour {
				if wait := p.wait(test.low, now); wait > 0 {
					now = now.Add(wait)
					continue
				}
				now, took = now.Add(time.Millisecond), took+time.Millisecond
				p.spend(now, time.Millisecond)
			}
			got := took.Seconds() / time.Hour.Seconds()
			if got < 0.95*test.want || got > 1.05*test.want+burst.Seconds()/time.Hour.Seconds() {
				t.Errorf("takes %.4f of a processor, want %.4f", got, test.want)
			}
		})
	}
}

// TestPaceDoesNotOwe: hours of low classes do not keep the others waiting for
// longer than a burst takes to be paid back.
func TestPaceDoesNotOwe(t *testing.T) {
	now := time.Unix(1e9, 0)
	p := newPace(now)
	for range 100_000 {
		now = now.Add(p.wait(true, now) + time.Millisecond)
		p.spend(now, time.Millisecond)
	}
	if wait := p.wait(false, now); wait > 2*time.Duration(float64(burst)/share) {
		t.Errorf("a high class waits for %v", wait)
	}
}

// TestLook: a machine is busy that had less than half a processor idle since the
// last look. One that does not say is not.
func TestLook(t *testing.T) {
	now := time.Now()
	p := newPace(now)
	p.look(now)
	if idle, total := processorTime(); p.total == 0 || p.total > total || idle > total {
		t.Errorf("processors were idle for %d of %d, before for %d of %d", idle, total, p.idle, p.total)
	}
	for _, test := range []struct {
		idle, total uint64
		processors  int
		part        float64
	}{
		{0, 100, 1, busyPart}, {49, 100, 1, busyPart}, {51, 100, 1, 1}, {100, 100, 1, 1},
		{12, 100, 4, busyPart}, {13, 100, 4, 1},
	} {
		p := newPace(now)
		p.judge(1000, 2000, test.processors)
		p.judge(1000+test.idle, 2000+test.total, test.processors)
		if p.part != test.part {
			t.Errorf("%d of %d idle of %d processors: takes %v of its share, want %v", test.idle, test.total, test.processors, p.part, test.part)
		}
	}
	p = newPace(now)
	p.judge(0, 0, 1)
	if p.judge(0, 0, 1); p.part != 1 {
		t.Errorf("nothing is known, and it takes %v of its share", p.part)
	}
}

// TestCompressAlong: full segments are compressed while packets come in, without
// anybody asking for it.
func TestCompressAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{Bytes: smallBudget, Bias: 2, Compress: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}()
		id, err := c.Interface(packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5000 {
			k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i / 2)}
			data := k.appendTo(nil, i%2 == 1, 0, 800, uint64(i))
			text(data[60:], i)
			c.Append([]packet.Packet{{Time: int64(i), Data: data, Interface: id}})
		}
		time.Sleep(time.Minute) // by the bubble's clock
		s := c.Stats()
		if left := s.Classes[0].Segments - s.Classes[0].Compressed; left > 1 {
			t.Errorf("%d of %d segments are not compressed", left, s.Classes[0].Segments)
		}
	})
}
