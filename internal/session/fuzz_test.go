package session

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(uint16(s.link), s.build(client, server))
	}
	f.Fuzz(func(t *testing.T, lt uint16, data []byte) {
		link := packet.LinkType(lt)
		var flow, again Flow
		NewDecoder().Decode(link, data, &flow)
		checkSound(t, link, data, &flow)
		Addresses(link, data) // does not panic
		d := NewDecoder()
		for range 2 { // fragments that it remembers are its own
			d.Decode(link, data, &again)
			if flow.Key != again.Key || flow.Reverse != again.Reverse {
				t.Errorf("%v, % x is %v and %v", link, data, flow, again)
			}
		}
		if link == packet.LinkTypeEthernet {
			checkFast(t, data)
		}
	})
}
