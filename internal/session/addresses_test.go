package session

import (
	"net/netip"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestAddresses(t *testing.T) {
	v4, v6 := tcp4(client, server), udp6(client, server)
	arp := cat(u16(1, etherIPv4), []byte{6, 4}, u16(1),
		[]byte(client.mac), client.v4.AsSlice(), make([]byte, 6), server.v4.AsSlice())
	cooked := cat(u16(0, 1, 6), []byte(client.mac), u16(0, etherIPv4), v4)
	cooked2 := cat(u16(etherIPv6, 0), u32(3), u16(1), []byte{0, 6}, []byte(client.mac), u16(0), v6)
	none := [2]netip.Addr{}
	ipv4Ends, ipv6Ends := [2]netip.Addr{client.v4, server.v4}, [2]netip.Addr{client.v6, server.v6}
	gates := [2]netip.Addr{gate.v4, uplink.v4}
	tests := []struct {
		name string
		lt   packet.LinkType
		data []byte
		want [2]netip.Addr
		sure bool
	}{
		{"IPv4", eth, ethernet(client, server, etherIPv4, v4), ipv4Ends, true},
		{"IPv6", eth, ethernet(client, server, etherIPv6, v6), ipv6Ends, true},
		{"ARP", eth, ethernet(client, server, etherARP, arp), ipv4Ends, true},
		{"RARP", eth, ethernet(client, server, etherRARP, arp), ipv4Ends, true},
		{"LLDP", eth, ethernet(client, server, etherLLDP, v4), none, true},
		{"802.3", eth, ethernet(client, server, 100, v4), none, true},
		{"VLAN", eth, ethernet(client, server, etherVLAN, u16(7, etherIPv4), v4), ipv4Ends, true},
		{"QinQ", eth, ethernet(client, server, etherQinQ, u16(7, etherVLAN, 8, etherARP), arp), ipv4Ends, true},
		{"QinQ 9100", eth, ethernet(client, server, etherQinQ9, u16(7, etherVLAN, 8, etherIPv6), v6), ipv6Ends, true},
		{"tags without end", eth, ethernet(client, server, etherVLAN, u16(1, etherVLAN, 1, etherVLAN, 1, etherVLAN, 1, etherVLAN, 1, etherVLAN, 1, etherVLAN, 1, etherVLAN, 1, etherIPv4), v4), none, false},
		{"a tunnel", eth, tunnel(protoGRE, tcp4, u16(0, etherIPv4))(client, server), gates, true},
		{"PPPoE", eth, ethernet(client, server, etherPPPoES, pppoe(u16(pppIPv4), v4)), none, true},
		{"MPLS", eth, ethernet(client, server, etherMPLS, label(16, true), v4), none, true},
		{"a version that is not the EtherType's", eth, ethernet(client, server, etherIPv4, []byte{0x60}, v4[1:]), ipv4Ends, true},
		{"a header length that cannot be", eth, ethernet(client, server, etherIPv4, []byte{0x41}, v4[1:]), ipv4Ends, true},
		{"cooked", packet.LinkTypeLinuxSLL, cooked, ipv4Ends, true},
		{"cooked v2", packet.LinkTypeLinuxSLL2, cooked2, ipv6Ends, true},
		{"raw IPv4", packet.LinkTypeRaw, v4, ipv4Ends, true},
		{"raw IPv6", packet.LinkTypeRaw, v6, ipv6Ends, true},
		{"raw nonsense", packet.LinkTypeRaw, cat([]byte{0x50}, v4[1:]), none, true},
		{"raw nothing", packet.LinkTypeRaw, nil, none, true},
		{"IPv4 only", packet.LinkTypeIPv4, cat([]byte{0x65}, v4[1:]), ipv4Ends, true},
		{"IPv6 only", packet.LinkTypeIPv6, v6, ipv6Ends, true},
		{"loopback", packet.LinkTypeNull, cat([]byte{2, 0, 0, 0}, v4), ipv4Ends, true},
		{"loopback, big endian", packet.LinkTypeNull, cat([]byte{0, 0, 0, 30}, v6), ipv6Ends, true},
		{"loopback of FreeBSD", packet.LinkTypeNull, cat([]byte{28, 0, 0, 0}, v6), ipv6Ends, true},
		{"loopback of OpenBSD", packet.LinkTypeLoop, cat([]byte{0, 0, 0, 24}, v6), ipv6Ends, true},
		{"loopback with something else", packet.LinkTypeNull, cat([]byte{7, 0, 0, 0}, v4), none, true},
		{"802.11", packet.LinkType80211, toDS(client, server, 0x08, 0, llc(etherIPv4), v4), none, false},
		{"a link type without a name", 147, v4, none, false},
	}
	for _, tt := range tests {
		src, dst, sure := Addresses(tt.lt, tt.data)
		if got := [2]netip.Addr{src, dst}; got != tt.want || sure != tt.sure {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, got, sure, tt.want, tt.sure)
		}
		for n := range tt.data { // cut short it has less, and nothing else
			src, dst, sure := Addresses(tt.lt, tt.data[:n])
			if src.IsValid() && src != tt.want[0] || dst.IsValid() && dst != tt.want[1] || tt.sure && !sure {
				t.Errorf("%s, %d bytes of it: %v, %v, %v", tt.name, n, src, dst, sure)
			}
		}
	}
	whole := ethernet(client, server, etherIPv4, v4)
	if src, dst, _ := Addresses(eth, whole[:14+19]); src != client.v4 || dst.IsValid() {
		t.Errorf("with the last byte of the destination cut off: %v, %v", src, dst)
	}
	if n := testing.AllocsPerRun(100, func() { Addresses(eth, whole) }); n != 0 {
		t.Errorf("Addresses allocates %v times", n)
	}
}
