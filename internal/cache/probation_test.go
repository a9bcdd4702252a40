package cache

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestUnansweredHaveTheRoomThatIsFree: first packets that nobody answers are
// kept as long as there is room, and give way to others down to their share.
func TestUnansweredHaveTheRoomThatIsFree(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
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
