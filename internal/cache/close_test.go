package cache

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestAfterClose: a cache that is closed is empty and takes nothing, and
// whoever still holds it comes to no harm.
func TestAfterClose(t *testing.T) {
	w := newWorld(1, false)
	c := w.newCache(t, false)
	for range 2000 {
		s := w.next()
		c.Append([]packet.Packet{s.p})
	}
	begun, fresh := c.NewReader(), c.NewReader()
	begun.Begin(All)
	var p packet.Packet
	for range 10 {
		if !begun.Next(&p) {
			t.Fatal("a cache of 2000 packets shows no ten")
		}
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// What a cursor has copied out it may still show.
	for begun.Next(&p) {
	}
	if begun.Missing() == 0 {
		t.Error("a reader lost the cache and misses nothing")
	}
	fresh.Begin(All)
	if fresh.Next(&p) || fresh.Missing() != 0 {
		t.Error("a closed cache shows packets")
	}
	s := w.next()
	c.Append([]packet.Packet{s.p})
	c.Replay([]packet.Packet{s.p})
	if s := c.Stats(); s.Seen.Packets != 2000 || s.Classes[0].Held.Packets != 0 {
		t.Errorf("a closed cache has seen %d packets and holds %v", s.Seen.Packets, s.Classes[0].Held)
	}
	if _, err := c.Interface(interfaces[0]); err != nil {
		t.Error(err)
	}
	if all, _ := c.Interfaces(); len(all) != len(interfaces) {
		t.Errorf("%d interfaces", len(all))
	}
}
