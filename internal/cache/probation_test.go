package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestUnansweredHaveTheRoomThatIsFree: first packets that nobody answers are
// kept as long as there is room, and give way to others down to their share.
func TestUnansweredHaveTheRoomThatIsFree(t *testing.T) {
	tp := newTape(t, Options{Bytes: smallBudget, Bias: 2})
	const unanswered, size = 4000, 1000 // half the cache
	for i := range unanswered {
		tp.add(&talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i)}, false, size)
	}
	s := tp.c.Stats()
	if s.Unanswered.Held.Packets != unanswered || s.Evicted.Packets != 0 {
		t.Errorf("of %d unanswered packets %d are held, %d were evicted", unanswered, s.Unanswered.Held.Packets, s.Evicted.Packets)
	}
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: unanswered}
	for evicted := uint64(0); evicted == 0; evicted = s.Evicted.Packets - s.Unanswered.Evicted.Packets {
		for range 100 {
			tp.add(k, false, size)
		}
		s = tp.c.Stats()
		checkStats(t, &s)
	}
	if s.Unanswered.Memory < s.Budget/40 || s.Unanswered.Memory > mostUnanswered(&s) {
		t.Errorf("unanswered packets are left %d bytes of %d", s.Unanswered.Memory, s.Budget)
	}
	if p, _ := s.Promise(0); p != s.Unanswered.Horizon {
		t.Errorf("the first KiB is promised for %v, unanswered packets for %v", p, s.Unanswered.Horizon)
	}
}

// TestAnsweredFirstPacketKeepsAges: a first packet that moves to class 0 brings
// the time of its own arrival with it. Those beside it do not become older,
// even where its timestamp is the newest because the clock was set back since.
func TestAnsweredFirstPacketKeepsAges(t *testing.T) {
	tp := newTape(t, Options{Bytes: smallBudget, Bias: 2})
	a := &talk{link: packet.LinkTypeEthernet, proto: ipTCP}
	b := &talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: 1}
	tp.add(b, false, 80)
	tp.add(b, true, 80)
	const step = 5 * time.Minute
	tp.now += int64(step)
	tp.add(a, false, 80)
	tp.now -= int64(step)
	tp.boot += int64(time.Minute)
	var batch []packet.Packet
	for _, size := range []int{80, 81} {
		tp.now++
		batch = append(batch, packet.Packet{Time: tp.now, Data: b.appendTo(nil, false, tcpACK, size, 1)})
	}
	batch = append(batch, packet.Packet{Time: tp.now + 1, Data: a.appendTo(nil, true, tcpACK, 5000, 1)}) // of another class
	tp.c.Append(batch)
	if s := tp.c.Stats(); s.Unanswered.Held.Packets != 0 || s.Classes[0].Held.Packets != 5 {
		t.Fatalf("%d packets are unanswered, %d in class 0", s.Unanswered.Held.Packets, s.Classes[0].Held.Packets)
	}
	if newest := tp.c.segments.slots[tp.c.logs[0].youngest].newest; newest != tp.c.clock.now {
		t.Errorf("the newest packet of class 0 is %v old", time.Duration(tp.c.clock.now-newest))
	}
}
