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
		name   string
		low    bool
		shares shares
		want   float64
	}{
		{"low classes have a quarter of a processor", true, atRest(), 0.25},
		{"and less on a busy machine", true, inBusy(), 0.0125},
		{"high ones have a fiftieth", false, atRest(), 0.02},
		{"and less on a busy machine", false, inBusy(), 0.004},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Unix(1e9, 0)
			now, took := start, time.Duration(0)
			p := newPace(start)
			p.shares = test.shares
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
	if wait := p.wait(false, now); wait > 2*time.Duration(float64(burst)/p.all) {
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
		want        shares
	}{
		{0, 100, 1, inBusy()}, {49, 100, 1, inBusy()}, {51, 100, 1, atRest()}, {100, 100, 1, atRest()},
		{12, 100, 4, inBusy()}, {13, 100, 4, atRest()},
	} {
		p := newPace(now)
		p.judge(1000, 2000, test.processors)
		p.judge(1000+test.idle, 2000+test.total, test.processors)
		if p.shares != test.want {
			t.Errorf("%d of %d idle of %d processors: takes %v, want %v", test.idle, test.total, test.processors, p.shares, test.want)
		}
	}
	p = newPace(now)
	p.judge(0, 0, 1)
	if p.judge(0, 0, 1); p.shares != atRest() {
		t.Errorf("nothing can be known, and it takes %v", p.shares)
	}
}

// TestRestAfterFlood: a machine that comes to rest is seen to be, however long the
// segment before took, and the next one waits as it does there.
func TestRestAfterFlood(t *testing.T) {
	now := time.Unix(1e9, 0)
	p := newPace(now)
	p.shares = inBusy()
	p.spend(now, 100*time.Millisecond)
	if wait := p.wait(true, now); wait > sample {
		t.Errorf("nobody looks for %v", wait)
	}
	p.shares = atRest()
	if wait := p.wait(true, now); wait != 300*time.Millisecond {
		t.Errorf("it waits for %v", wait)
	}
}

// TestLookAfterRest: what the machine was like a minute ago says nothing of the
// flood that has just begun.
func TestLookAfterRest(t *testing.T) {
	now := time.Now()
	p := newPace(now)
	p.look(now)
	if p.shares != inBusy() {
		t.Errorf("nothing is known yet, and it takes %v", p.shares)
	}
	p.shares = atRest()
	p.look(now.Add(time.Minute))
	if p.shares != inBusy() {
		t.Errorf("it takes %v after a rest", p.shares)
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
