package session

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

const (
	moreFragments = 0x2000
	dontFragment  = 0x4000
)

func decoded(d *Decoder, data []byte) Flow {
	var f Flow
	d.Decode(packet.LinkTypeRaw, data, &f)
	return f
}

func TestFragmentsFollowTheFirst(t *testing.T) {
	body := make([]byte, 64)
	for _, test := range []struct {
		name               string
		first, later, last []byte
	}{
		{
			"IPv4",
			ipv4Fragment(server, client, protoTCP, 7, moreFragments, tcp(server, client, tcpSYN), body),
			ipv4Fragment(server, client, protoTCP, 7, moreFragments|11, body),
			ipv4Fragment(server, client, protoTCP, 7, 19, body),
		},
		{
			"IPv6",
			ipv6(server, client, protoFragment, ipv6Fragment(protoTCP, 7, 0, true), tcp(server, client, tcpSYN), body),
			ipv6(server, client, protoFragment, ipv6Fragment(protoTCP, 7, 88, true), body),
			ipv6(server, client, protoFragment, ipv6Fragment(protoTCP, 7, 152, false), body),
		},
		{
			"IPv6, options behind the fragment header",
			ipv6(server, client, protoFragment, ipv6Fragment(protoDestOpts, 7, 0, true), option(protoTCP, false), tcp(server, client, tcpSYN), body),
			ipv6(server, client, protoFragment, ipv6Fragment(protoDestOpts, 7, 88, true), body),
			ipv6(server, client, protoFragment, ipv6Fragment(protoDestOpts, 7, 152, false), body),
		},
		{
			"IPv6, options before the fragment header",
			ipv6(server, client, protoHopByHop, option(protoFragment, false), ipv6Fragment(protoTCP, 7, 0, true), tcp(server, client, tcpSYN), body),
			ipv6(server, client, protoHopByHop, option(protoFragment, false), ipv6Fragment(protoTCP, 7, 88, true), body),
			ipv6(server, client, protoHopByHop, option(protoFragment, false), ipv6Fragment(protoTCP, 7, 152, false), body),
		},
		{
			"a tunnel's packets",
			ipv4Fragment(uplink, gate, protoIPIP, 7, moreFragments, ipv4(server, client, protoTCP, tcp(server, client, tcpSYN))),
			ipv4Fragment(uplink, gate, protoIPIP, 7, moreFragments|8, body),
			ipv4Fragment(uplink, gate, protoIPIP, 7, 16, body),
		},
	} {
		d := NewDecoder()
		first := decoded(d, test.first)
		if a, b := first.Key.Ports(); a != client.port || b != server.port || !first.Reverse || first.tcpFlags != tcpSYN {
			t.Errorf("%s: the first fragment is %v", test.name, first)
		}
		for i, data := range [][]byte{test.later, test.last} {
			f := decoded(d, data)
			if f.Key != first.Key || f.Hash != first.Hash || !f.Reverse || !f.tcp {
				t.Errorf("%s: later fragment %d is %v, the first %v", test.name, i, f, first)
			}
			if f.tcpFlags != 0 {
				t.Errorf("%s: later fragment %d has the TCP flags of the first, which would count twice", test.name, i)
			}
		}
		alone := decoded(NewDecoder(), test.later)
		if a, b := alone.Key.Ports(); a != 0 || b != 0 {
			t.Errorf("%s: a later fragment alone has ports %d and %d", test.name, a, b)
		}
	}
}

// TestFragmentsOfOthers: whatever differs in what identifies a packet, a
// fragment does not follow.
func TestFragmentsOfOthers(t *testing.T) {
	d := NewDecoder()
	first := decoded(d, ipv4Fragment(client, server, protoUDP, 7, moreFragments, udp(client, server)))
	for name, data := range map[string][]byte{
		"identification": ipv4Fragment(client, server, protoUDP, 8, 8, make([]byte, 9)),
		"protocol":       ipv4Fragment(client, server, protoTCP, 7, 8, make([]byte, 9)),
		"source":         ipv4Fragment(gate, server, protoUDP, 7, 8, make([]byte, 9)),
		"destination":    ipv4Fragment(client, gate, protoUDP, 7, 8, make([]byte, 9)),
		"direction":      ipv4Fragment(server, client, protoUDP, 7, 8, make([]byte, 9)),
	} {
		if f := decoded(d, data); f.Key == first.Key {
			t.Errorf("a fragment with another %s follows", name)
		}
	}
	if f := decoded(d, ipv4Fragment(client, server, protoUDP, 7, 8, make([]byte, 9))); f.Key != first.Key {
		t.Error("the right fragment does not follow any more")
	}
}

// TestWholePacketsAreNoFragments: the flag against fragmentation, and an IPv6
// fragment header on a whole packet (RFC 6946), change nothing.
func TestWholePacketsAreNoFragments(t *testing.T) {
	d := NewDecoder()
	want := decoded(d, udp4(client, server))
	if f := decoded(d, ipv4Fragment(client, server, protoUDP, 7, dontFragment, udp(client, server))); f != want {
		t.Errorf("with DF: %v, want %v", f, want)
	}
	want = decoded(d, udp6(client, server))
	if f := decoded(d, ipv6(client, server, protoFragment, ipv6Fragment(protoUDP, 7, 0, false), udp(client, server))); f != want {
		t.Errorf("atomic fragment: %v, want %v", f, want)
	}
	if d.fragments != (fragmentTable{}) {
		t.Error("whole packets are remembered as fragments")
	}
}

// TestManyFragments: a flood of first fragments takes no more than the table.
func TestManyFragments(t *testing.T) {
	d := NewDecoder()
	followed := 0
	for id := range uint16(10 * fragmentSlots) {
		from := client
		from.port = 1024 + id
		first := decoded(d, ipv4Fragment(from, server, protoUDP, id, moreFragments, udp(from, server)))
		if f := decoded(d, ipv4Fragment(from, server, protoUDP, id, 8, make([]byte, 9))); f.Key == first.Key {
			followed++
		}
	}
	if followed != 10*fragmentSlots {
		t.Errorf("%d of %d later fragments followed the first right before", followed, 10*fragmentSlots)
	}
}
