package session

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A sample is a packet by hand, in either direction, and what its session is.
type sample struct {
	name     string
	link     packet.LinkType
	build    func(from, to end) []byte
	kind     Kind
	protocol uint16
	// from and to are whose addresses the session must have; by default the
	// client's and the server's.
	from, to *end
	// ports: it is TCP or UDP.
	ports bool
	// oneWay: the link layer shows one address only.
	oneWay bool
}

func tcp4(from, to end) []byte { return ipv4(from, to, protoTCP, tcp(from, to, tcpACK)) }
func udp4(from, to end) []byte { return ipv4(from, to, protoUDP, udp(from, to)) }
func udp6(from, to end) []byte { return ipv6(from, to, protoUDP, udp(from, to)) }

// fixed makes a builder of what goes in front of a packet.
func fixed(head []byte, inner func(from, to end) []byte) func(from, to end) []byte {
	return func(from, to end) []byte { return cat(head, inner(from, to)) }
}

// framed puts a packet behind an Ethernet header and what follows that.
func framed(etherType uint16, inner func(from, to end) []byte, heads ...[]byte) func(from, to end) []byte {
	return func(from, to end) []byte { return ethernet(from, to, etherType, cat(heads...), inner(from, to)) }
}

// tunnel sends a packet from the gate to the uplink, or back.
func tunnel(protocol byte, inner func(from, to end) []byte, heads ...[]byte) func(from, to end) []byte {
	return func(from, to end) []byte {
		a, b := gate, uplink
		if from == server {
			a, b = b, a
		}
		return ethernet(a, b, etherIPv4, ipv4(a, b, protocol, cat(heads...), inner(from, to)))
	}
}

func bridged(from, to end) []byte { return ethernet(from, to, etherIPv4, tcp4(from, to)) }

func nothing(end, end) []byte { return nil }

const (
	eth = packet.LinkTypeEthernet

	protoICMP  = 1
	protoESP   = 50
	protoICMP6 = 58
	protoNone  = 59
	protoSCTP  = 132
	etherLLDP  = 0x88cc
)

var samples = []sample{
	{name: "TCP", link: eth, build: framed(etherIPv4, tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "UDP", link: eth, build: framed(etherIPv4, udp4), kind: KindIPv4, protocol: protoUDP, ports: true},
	{name: "TCP with IP options", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4Options(from, to, protoTCP, tcp(from, to, tcpSYN)))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "ICMP", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4(from, to, protoICMP, u32(8<<24, 1)))
	}, kind: KindIPv4, protocol: protoICMP},
	{name: "SCTP", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4(from, to, protoSCTP, u16(1, 2, 3, 4)))
	}, kind: KindIPv4, protocol: protoSCTP},
	{name: "ESP", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4(from, to, protoESP, u32(1, 2)))
	}, kind: KindIPv4, protocol: protoESP},
	{name: "AH", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4(from, to, protoAH, authentication(protoTCP), tcp(from, to, tcpACK)))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "AH cut short", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv4, ipv4(from, to, protoAH, authentication(protoTCP)[:20]))
	}, kind: KindIPv4, protocol: protoAH},
	{name: "UDP over IPv6", link: eth, build: framed(etherIPv6, udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "ICMPv6", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, protoICMP6, u32(128<<24, 1)))
	}, kind: KindIPv6, protocol: protoICMP6},
	{name: "ARP", link: eth, build: framed(etherARP, nothing, make([]byte, 28)), kind: KindMAC, protocol: etherARP},
	{name: "LLDP", link: eth, build: framed(etherLLDP, nothing, make([]byte, 20)), kind: KindMAC, protocol: etherLLDP},
	{name: "802.3 with LLC", link: eth, build: framed(38, nothing, []byte{0x42, 0x42, 3}, make([]byte, 35)), kind: KindMAC, protocol: 0x4242},

	{name: "VLAN", link: eth, build: framed(etherVLAN, tcp4, u16(7, etherIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "QinQ", link: eth, build: framed(etherQinQ, tcp4, u16(7, etherVLAN, 8, etherIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "QinQ 9100", link: eth, build: framed(etherQinQ9, udp6, u16(7, etherVLAN, 8, etherIPv6)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "three VLAN tags", link: eth, build: framed(etherVLAN, tcp4, u16(7, etherVLAN, 8, etherVLAN, 9, etherIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "ARP in a VLAN", link: eth, build: framed(etherVLAN, nothing, u16(7, etherARP), make([]byte, 28)), kind: KindMAC, protocol: etherARP},
	{name: "MPLS", link: eth, build: framed(etherMPLS, tcp4, label(16, true)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "MPLS stack", link: eth, build: framed(etherMPLSm, udp6, label(16, false), label(17, false), label(18, true)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "MPLS pseudowire", link: eth, build: framed(etherMPLS, bridged, label(16, true), u32(1)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "MPLS without bottom", link: eth, build: framed(etherMPLS, nothing, label(16, false)), kind: KindMAC, protocol: etherMPLS},
	{name: "MPLS in a VLAN", link: eth, build: framed(etherVLAN, tcp4, u16(7, etherMPLS), label(16, true)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPPoE", link: eth, build: framed(etherPPPoES, tcp4, pppoe(u16(pppIPv4), nil)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPPoE with IPv6", link: eth, build: framed(etherPPPoES, udp6, pppoe(u16(pppIPv6), nil)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "PPPoE, short protocol", link: eth, build: framed(etherPPPoES, tcp4, pppoe([]byte{pppIPv4}, nil)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPPoE with LCP", link: eth, build: framed(etherPPPoES, nothing, pppoe(u16(0xc021), make([]byte, 8))), kind: KindMAC, protocol: etherPPPoES},
	{name: "PPPoE discovery", link: eth, build: framed(0x8863, nothing, make([]byte, 20)), kind: KindMAC, protocol: 0x8863},

	{name: "GRE", link: eth, build: tunnel(protoGRE, tcp4, u16(0, etherIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "GRE, checksum key sequence", link: eth, build: tunnel(protoGRE, udp6, u16(0xb000, etherIPv6), u32(1, 2, 3)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "GRE with MPLS", link: eth, build: tunnel(protoGRE, tcp4, u16(0, etherMPLS), label(16, true)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "GRE with routing", link: eth, build: tunnel(protoGRE, tcp4, u16(0x4000, etherIPv4), u32(0)), kind: KindIPv4, protocol: protoGRE, from: &gate, to: &uplink},
	{name: "GRE with something else", link: eth, build: tunnel(protoGRE, nothing, u16(0, etherLLDP), make([]byte, 9)), kind: KindIPv4, protocol: protoGRE, from: &gate, to: &uplink},
	{name: "PPTP", link: eth, build: tunnel(protoGRE, tcp4, u16(0x2001, etherPPP), u32(5), u16(pppIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPTP, sequence and acknowledgement", link: eth, build: tunnel(protoGRE, tcp4, u16(0x3081, etherPPP), u32(5, 1, 1), []byte{0xff, 3}, u16(pppIPv4)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPTP, acknowledgement alone", link: eth, build: tunnel(protoGRE, nothing, u16(0x2081, etherPPP), u32(5, 1)), kind: KindIPv4, protocol: protoGRE, from: &gate, to: &uplink},
	{name: "EoIP", link: eth, build: tunnel(protoGRE, bridged, u16(0x2001, etherEoIP), u32(5)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "TEB", link: eth, build: tunnel(protoGRE, bridged, u16(0x2000, etherTEB), u32(5)), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "TEB with ARP", link: eth, build: tunnel(protoGRE, framed(etherARP, nothing, make([]byte, 28)), u16(0, etherTEB)), kind: KindIPv4, protocol: protoGRE, from: &gate, to: &uplink},
	{name: "IP in IP", link: eth, build: tunnel(protoIPIP, tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "6in4", link: eth, build: tunnel(protoIPv6, udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "6in4 with nothing in it", link: eth, build: tunnel(protoIPv6, nothing), kind: KindIPv4, protocol: protoIPv6, from: &gate, to: &uplink},
	{name: "4in6", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, protoIPIP, tcp4(from, to)))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "IP in IP in GRE in IPv6", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, protoGRE, u16(0, etherIPv4), ipv4(from, to, protoIPIP, tcp4(from, to))))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},

	{name: "hop-by-hop", link: eth, build: extended(protoHopByHop, option(protoUDP, true)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "all extension headers", link: eth, build: extended(protoHopByHop, option(protoDestOpts, false), option(protoRouting, true),
		option(protoFragment, true), ipv6Fragment(protoAH, 9, 0, false), authentication(protoMobility), option(protoUDP, false)), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "no next header", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, protoNone))
	}, kind: KindIPv6, protocol: protoNone},
	{name: "extension header longer than the packet", link: eth, build: func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, protoDestOpts, []byte{protoUDP, 200}, make([]byte, 30)))
	}, kind: KindIPv6, protocol: protoDestOpts},

	{name: "cooked v1", link: packet.LinkTypeLinuxSLL, build: func(from, to end) []byte {
		return cat(u16(0, 1, 6), []byte(from.mac), u16(0, etherIPv4), tcp4(from, to))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "cooked v1, VLAN", link: packet.LinkTypeLinuxSLL, build: func(from, to end) []byte {
		return cat(u16(0, 1, 6), []byte(from.mac), u16(0, etherVLAN, 7, etherIPv6), udp6(from, to))
	}, kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "cooked v1, ARP", link: packet.LinkTypeLinuxSLL, build: func(from, _ end) []byte {
		return cat(u16(0, 1, 6), []byte(from.mac), u16(0, etherARP), make([]byte, 28))
	}, kind: KindMAC, protocol: etherARP, to: &end{mac: "\x00\x00\x00\x00\x00\x00"}, oneWay: true},
	{name: "cooked v2", link: packet.LinkTypeLinuxSLL2, build: func(from, to end) []byte {
		return cat(u16(etherIPv6, 0), u32(3), u16(1), []byte{0, 6}, []byte(from.mac), u16(0), udp6(from, to))
	}, kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "cooked v2, ARP", link: packet.LinkTypeLinuxSLL2, build: func(from, _ end) []byte {
		return cat(u16(etherARP, 0), u32(3), u16(1), []byte{0, 6}, []byte(from.mac), u16(0), make([]byte, 28))
	}, kind: KindMAC, protocol: etherARP, to: &end{mac: "\x00\x00\x00\x00\x00\x00"}, oneWay: true},

	{name: "NULL, little-endian", link: packet.LinkTypeNull, build: fixed([]byte{2, 0, 0, 0}, tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "NULL, BSD's IPv6", link: packet.LinkTypeNull, build: fixed([]byte{30, 0, 0, 0}, udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "LOOP", link: packet.LinkTypeLoop, build: fixed([]byte{0, 0, 0, 24}, udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "PPP", link: packet.LinkTypePPP, build: fixed(u16(pppIPv4), tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPP with address and control", link: packet.LinkTypePPP, build: fixed(u16(0xff03, pppIPv6), udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "PPP with MPLS", link: packet.LinkTypePPP, build: fixed(cat(u16(0xff03, pppMPLS), label(16, true)), tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPP with LCP", link: packet.LinkTypePPP, build: fixed(u16(0xc021), nothing), kind: KindOther, protocol: uint16(packet.LinkTypePPP), oneWay: true},
	{name: "PPP in HDLC", link: packet.LinkTypePPPHDLC, build: fixed(u16(0xff03, pppIPv4), tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "Cisco HDLC", link: packet.LinkTypeCHDLC, build: fixed(u16(0x0f00, etherIPv4), tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "Cisco HDLC, IPv6", link: packet.LinkTypeCHDLC, build: fixed(u16(0x0f00, etherIPv6), udp6), kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "Cisco HDLC, keepalive", link: packet.LinkTypeCHDLC, build: fixed(u16(0x8f00, 0x8035), nothing), kind: KindOther, protocol: uint16(packet.LinkTypeCHDLC), oneWay: true},
	{name: "PPPoE as link type", link: packet.LinkTypePPPEther, build: fixed(pppoe(u16(pppIPv4), nil), tcp4), kind: KindIPv4, protocol: protoTCP, ports: true},

	{name: "802.11 to the access point", link: packet.LinkType80211, build: func(from, to end) []byte {
		return toDS(from, to, 0x08, 0, llc(etherIPv4), tcp4(from, to))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "802.11 with QoS", link: packet.LinkType80211, build: func(from, to end) []byte {
		return fromDS(from, to, 0x88, 0, u16(0), llc(etherIPv6), udp6(from, to))
	}, kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "802.11 with QoS and HT control", link: packet.LinkType80211, build: func(from, to end) []byte {
		return toDS(from, to, 0x88, 0x80, u16(0), u32(0), llc(etherIPv4), tcp4(from, to))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "802.11 between access points", link: packet.LinkType80211, build: func(from, to end) []byte {
		return wds(from, to, llc(etherIPv4), tcp4(from, to))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "802.11 with ARP", link: packet.LinkType80211, build: func(from, to end) []byte {
		return fromDS(from, to, 0x08, 0, llc(etherARP), make([]byte, 28))
	}, kind: KindMAC, protocol: etherARP},
	{name: "802.11 encrypted", link: packet.LinkType80211, build: func(from, to end) []byte {
		return toDS(from, to, 0x88, 0x40, u16(0), make([]byte, 60))
	}, kind: KindMAC, protocol: 0x88},
	{name: "802.11 null", link: packet.LinkType80211, build: func(from, to end) []byte { return toDS(from, to, 0x48, 0) }, kind: KindMAC, protocol: 0x48},
	{name: "802.11 management", link: packet.LinkType80211, build: func(from, to end) []byte {
		return adHoc(from, to, 0x80, 0, make([]byte, 40))
	}, kind: KindMAC, protocol: 0x80},
	{name: "802.11 ad hoc", link: packet.LinkType80211, build: func(from, to end) []byte {
		return adHoc(from, to, 0x08, 0, llc(etherIPv4), tcp4(from, to))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "802.11 acknowledgement", link: packet.LinkType80211, build: func(from, _ end) []byte {
		return cat([]byte{0xd4, 0, 0, 0}, []byte(from.mac))
	}, kind: KindMAC, protocol: 0xd4, to: &end{mac: "\x00\x00\x00\x00\x00\x00"}, oneWay: true},
	{name: "radiotap", link: packet.LinkTypeRadiotap, build: fixed([]byte{0, 0, 12, 0, 0, 0, 0, 0, 1, 2, 3, 4}, wireless), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "Prism", link: packet.LinkTypePrism, build: fixed(cat(u32(0x44, 144), make([]byte, 136)), wireless), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "AVS", link: packet.LinkTypeAVS, build: fixed(cat(u32(0x80211001, 64), make([]byte, 56)), wireless), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "AVS under Prism's name", link: packet.LinkTypePrism, build: fixed(cat(u32(0x80211002, 64), make([]byte, 56)), wireless), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPI with 802.11", link: packet.LinkTypePPI, build: fixed(cat([]byte{0, 0, 16, 0, 105, 0, 0, 0}, make([]byte, 8)), wireless), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPI with Ethernet", link: packet.LinkTypePPI, build: fixed([]byte{0, 0, 8, 0, 1, 0, 0, 0}, bridged), kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "PPI with something else", link: packet.LinkTypePPI, build: fixed([]byte{0, 0, 8, 0, 7, 0, 0, 0}, bridged), kind: KindOther, protocol: uint16(packet.LinkTypePPI), oneWay: true},

	{name: "NFLOG", link: packet.LinkTypeNFLOG, build: func(from, to end) []byte {
		return cat([]byte{2, 0}, u16(1), nflogAttribute(1, []byte{8, 0, 1, 0}), nflogAttribute(10, []byte("prefix\x00")), nflogAttribute(9, tcp4(from, to)))
	}, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "NFLOG without a packet", link: packet.LinkTypeNFLOG, build: func(_, _ end) []byte {
		return cat([]byte{2, 0}, u16(1), nflogAttribute(1, []byte{8, 0, 1, 0}))
	}, kind: KindOther, protocol: uint16(packet.LinkTypeNFLOG), oneWay: true},
	{name: "raw IPv4", link: packet.LinkTypeRaw, build: tcp4, kind: KindIPv4, protocol: protoTCP, ports: true},
	{name: "raw IPv6", link: packet.LinkTypeRaw, build: udp6, kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "raw IPv4 by its own link type", link: packet.LinkTypeIPv4, build: udp4, kind: KindIPv4, protocol: protoUDP, ports: true},
	{name: "raw IPv6 by its own link type", link: packet.LinkTypeIPv6, build: udp6, kind: KindIPv6, protocol: protoUDP, ports: true},
	{name: "raw, neither", link: packet.LinkTypeRaw, build: fixed([]byte{0x10, 0, 0, 0}, nothing), kind: KindOther, protocol: uint16(packet.LinkTypeRaw), oneWay: true},
	{name: "Netlink", link: packet.LinkTypeNetlink, build: fixed(make([]byte, 32), nothing), kind: KindOther, protocol: uint16(packet.LinkTypeNetlink), oneWay: true},
	{name: "a link type that nobody knows", link: 60000, build: fixed(make([]byte, 32), tcp4), kind: KindOther, protocol: 60000, oneWay: true},
}

func wireless(from, to end) []byte { return toDS(from, to, 0x08, 0, llc(etherIPv4), tcp4(from, to)) }

// extended is UDP behind IPv6 extension headers.
func extended(first byte, headers ...[]byte) func(from, to end) []byte {
	return func(from, to end) []byte {
		return ethernet(from, to, etherIPv6, ipv6(from, to, first, cat(headers...), udp(from, to)))
	}
}

func TestDecode(t *testing.T) {
	d := NewDecoder()
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			var there, back Flow
			d.Decode(s.link, s.build(client, server), &there)
			d.Decode(s.link, s.build(server, client), &back)
			s.check(t, &there)
			if s.oneWay {
				return
			}
			s.check(t, &back)
			if there.Key != back.Key || there.Hash != back.Hash {
				t.Errorf("the two directions have different sessions: %v and %v", there, back)
			}
			if there.Reverse || !back.Reverse {
				t.Errorf("reverse is %v from client to server and %v back, want false and true", there.Reverse, back.Reverse)
			}
		})
	}
}

// check compares a flow with what the sample should give. All addresses of
// the from side are lower.
func (s *sample) check(t *testing.T, f *Flow) {
	t.Helper()
	from, to := client, server
	if s.from != nil {
		from = *s.from
	}
	if s.to != nil {
		to = *s.to
	}
	k := f.Key
	if k.Kind() != s.kind || k.Protocol() != s.protocol {
		t.Errorf("kind %d, protocol %#x; want %d, %#x", k.Kind(), k.Protocol(), s.kind, s.protocol)
	}
	var wantA, wantB netip.Addr
	switch s.kind {
	case KindIPv4:
		wantA, wantB = from.v4, to.v4
	case KindIPv6:
		wantA, wantB = from.v6, to.v6
	}
	if a, b := k.Addrs(); a != wantA || b != wantB {
		t.Errorf("addresses %v and %v, want %v and %v", a, b, wantA, wantB)
	}
	var wantPortA, wantPortB uint16
	if s.ports {
		wantPortA, wantPortB = from.port, to.port
	}
	if a, b := k.Ports(); a != wantPortA || b != wantPortB {
		t.Errorf("ports %d and %d, want %d and %d", a, b, wantPortA, wantPortB)
	}
	a, b := k.MACs()
	if s.kind != KindMAC {
		if a != nil || b != nil {
			t.Errorf("hardware addresses % x and % x of a session that has none", a, b)
		}
		return
	}
	low, high := []byte(from.mac), []byte(to.mac)
	if bytes.Compare(low, high) > 0 {
		low, high = high, low
	}
	if !bytes.Equal(a, low) || !bytes.Equal(b, high) {
		t.Errorf("hardware addresses % x and % x, want % x and % x", a, b, low, high)
	}
}

// TestDecodeSameAddress: where both sides have one address the ports tell
// them apart.
func TestDecodeSameAddress(t *testing.T) {
	low, high := client, client
	low.port, high.port = 53, 5353
	for _, link := range []packet.LinkType{packet.LinkTypeEthernet, packet.LinkTypeRaw} {
		d := NewDecoder()
		var up, down Flow
		build := func(from, to end) []byte {
			if link == packet.LinkTypeEthernet {
				return ethernet(from, to, etherIPv4, tcp4(from, to))
			}
			return tcp4(from, to)
		}
		d.Decode(link, build(low, high), &up)
		d.Decode(link, build(high, low), &down)
		if up.Key != down.Key || up.Hash != down.Hash || up.Reverse || !down.Reverse {
			t.Errorf("%v: %v and %v", link, up, down)
		}
	}
}

// TestDecodeKeepsNothing: a Flow used again shows nothing of the packet before.
func TestDecodeKeepsNothing(t *testing.T) {
	d := NewDecoder()
	for _, before := range samples {
		for _, s := range samples {
			var fresh, used Flow
			d.Decode(before.link, before.build(server, client), &used)
			d.Decode(s.link, s.build(client, server), &used)
			d.Decode(s.link, s.build(client, server), &fresh)
			if fresh != used {
				t.Fatalf("%s after %s: %v, alone: %v", s.name, before.name, used, fresh)
			}
		}
	}
}

// TestDecodeNested: headers inside headers are peeled to a depth, and then
// the session is that of the last one read.
func TestDecodeNested(t *testing.T) {
	const ipInIP = 40
	p := tcp4(client, server)
	for range ipInIP {
		p = ipv4(gate, uplink, protoIPIP, p)
	}
	tags := u16(etherVLAN)
	for range 40 {
		tags = append(tags, u16(1, etherVLAN)...)
	}
	d := NewDecoder()
	var f Flow
	d.Decode(packet.LinkTypeRaw, p, &f)
	if a, _ := f.Key.Addrs(); a != gate.v4 || f.Key.Protocol() != protoIPIP {
		t.Errorf("%d times IP in IP is a session of %v, protocol %d", ipInIP, a, f.Key.Protocol())
	}
	d.Decode(eth, cat([]byte(server.mac), []byte(client.mac), tags), &f)
	if f.Key.Kind() != KindMAC || f.Key.Protocol() != etherVLAN {
		t.Errorf("a stack of VLAN tags is %d, %#x", f.Key.Kind(), f.Key.Protocol())
	}
}

// TestDecodeHashesDiffer: the hash is seeded, so that two decoders disagree.
func TestDecodeHashesDiffer(t *testing.T) {
	var a, b Flow
	NewDecoder().Decode(packet.LinkTypeRaw, tcp4(client, server), &a)
	NewDecoder().Decode(packet.LinkTypeRaw, tcp4(client, server), &b)
	if a.Key != b.Key || a.Hash == b.Hash {
		t.Errorf("keys %v and %v, hashes %x and %x", a.Key, b.Key, a.Hash, b.Hash)
	}
}

// TestDecodeRestarts: what has neither beginning nor end begins anew now and
// then; conversations do not.
func TestDecodeRestarts(t *testing.T) {
	multicast := server
	multicast.v4, multicast.v6 = netip.MustParseAddr("239.255.255.250"), netip.MustParseAddr("ff02::fb")
	broadcast := server
	broadcast.v4 = netip.MustParseAddr("255.255.255.255")
	for _, test := range []struct {
		name string
		data []byte
		want bool
	}{
		{"UDP", ethernet(client, server, etherIPv4, udp4(client, server)), false},
		{"TCP", ethernet(client, server, etherIPv4, tcp4(client, server)), false},
		{"UDP in VLAN", ethernet(client, server, etherVLAN, u16(1, etherIPv4), udp4(client, server)), false},
		{"multicast", ethernet(client, multicast, etherIPv4, udp4(client, multicast)), true},
		{"multicast in VLAN", ethernet(client, multicast, etherVLAN, u16(1, etherIPv4), udp4(client, multicast)), true},
		{"IPv6 multicast", ethernet(client, multicast, etherIPv6, udp6(client, multicast)), true},
		{"broadcast", ethernet(client, broadcast, etherIPv4, udp4(client, broadcast)), true},
		{"ping", ethernet(client, server, etherIPv4, ipv4(client, server, protoICMP, u32(8<<24, 1))), true},
		{"ARP", ethernet(client, server, etherARP, make([]byte, 28)), true},
	} {
		var f Flow
		NewDecoder().Decode(eth, test.data, &f)
		if f.restarts != test.want {
			t.Errorf("%s: restarts is %v", test.name, f.restarts)
		}
	}
}
