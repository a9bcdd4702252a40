package session

import (
	"slices"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestTruncated cuts every sample everywhere: what is left belongs to some
// session, the same each time, and one that is sound.
func TestTruncated(t *testing.T) {
	d := NewDecoder()
	for _, s := range samples {
		whole := s.build(client, server)
		for n := range len(whole) + 1 {
			cut := slices.Clone(whole[:n:n]) // reading past its end panics
			var f Flow
			d.Decode(s.link, cut, &f)
			checkSound(t, s.link, cut, &f)
			var again Flow
			d.Decode(s.link, cut, &again)
			if again != f {
				t.Errorf("%s cut to %d bytes is %v, then %v", s.name, n, f, again)
			}
		}
	}
}

func TestTruncatedCorpus(t *testing.T) {
	d := NewDecoder()
	for _, folder := range []string{"dev", "malformed-dev"} {
		for _, path := range corpusFiles(t, folder) {
			packets := 0
			forEachPacket(t, path, func(lt packet.LinkType, data []byte) {
				if packets++; packets > 10 {
					return
				}
				for n := range min(len(data), 128) + 1 {
					var f Flow
					d.Decode(lt, data[:n:n], &f)
					checkSound(t, lt, data[:n], &f)
				}
			})
		}
	}
}

// checkSound checks what holds of every flow, whatever the packet.
func checkSound(t testing.TB, lt packet.LinkType, data []byte, f *Flow) {
	t.Helper()
	k := f.Key
	portA, portB := k.Ports()
	switch {
	case k.Kind() > KindIPv6:
		t.Errorf("%v, % x: kind %d", lt, data, k.Kind())
	case k.Kind() == KindOther && (k.Protocol() != uint16(lt) || k.a != addr{} || k.b != addr{}):
		t.Errorf("%v, % x: %v has no addresses, so its protocol is the link type", lt, data, k)
	case k.b.less(k.a), k.a == k.b && portB < portA:
		t.Errorf("%v, % x: the sides of %v are not in order", lt, data, k)
	case k.Kind() != KindIPv6 && (k.a.hi|k.b.hi) != 0, k.Kind() == KindIPv4 && (k.a.lo|k.b.lo)>>32 != 0:
		t.Errorf("%v, % x: the addresses of %v are too long", lt, data, k)
	case portA|portB != 0 && k.Protocol() != protoTCP && k.Protocol() != protoUDP:
		t.Errorf("%v, % x: %v has ports", lt, data, k)
	case f.tcpFlags != 0 && !f.tcp:
		t.Errorf("%v, % x: %v is not TCP but has flags", lt, data, k)
	case !f.tcp && k.Protocol() != protoUDP && !f.restarts:
		t.Errorf("%v, % x: %v never begins anew", lt, data, k)
	}
}
