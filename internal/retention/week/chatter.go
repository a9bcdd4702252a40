package week

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// chatter is what hosts of a local network say to all.
func (s *stream) chatter() {
	host := pick(s, s.network.neighbours)
	host.port = 5353
	switch n := s.random.IntN(100); {
	case n < 70:
		s.add(1, arp{host, pick(s, s.network.neighbours).addr})
	case n < 83: // RFC 6762
		s.tell(host, "224.0.0.251", 5353, "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0b_googlecast\x04_tcp\x05local\x00\x00\x0c\x00\x01")
	case n < 91: // UPnP Device Architecture 2.0, section 1.3.2
		host.port = 50000 + uint16(s.random.IntN(3))
		s.tell(host, "239.255.255.250", 1900, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:dial-multiscreen-org:service:dial:1\r\nUSER-AGENT: Chromium/140.0 Windows\r\n\r\n")
	case n < 95: // RFC 4795
		host.port = 49152 + uint16(s.random.IntN(1<<14))
		s.tell(host, "224.0.0.252", 5355, "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07printer\x00\x00\x01\x00\x01")
	case n < 98: // RFC 1002
		host.port = 137
		s.tell(host, "10.20.30.255", 137, "\x81\x22\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00 FHEPFCELEHFCEPFFFACACACACACACABN\x00\x00\x20\x00\x01")
	default:
		s.add(1, arp{s.network.self[0], netip.AddrFrom4([4]byte{10, 20, 30, 1})})
	}
}

// tell sends a datagram to all, or to a group.
func (s *stream) tell(from end, to string, port uint16, text string) {
	group := end{addr: netip.MustParseAddr(to), port: port}
	v4 := group.addr.As4()
	group.mac = [6]byte{0x01, 0x00, 0x5e, v4[1] & 0x7f, v4[2], v4[3]} // RFC 1112
	if v4[3] == 255 {
		group.mac = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	s.begin(0, &flow{ends: [2]end{from, group}, protocol: udp, record: -1, steps: []step{{plain: []byte(text)}}})
}

// arp asks who has an address (RFC 826).
type arp struct {
	from end
	who  netip.Addr
}

func (a arp) act(s *stream) int64 {
	b := appendEthernet(s.frame, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, a.from.mac, 0x0806)
	b = append(b, 0, 1, 8, 0, 6, 4, 0, 1)
	b = append(append(b, a.from.mac[:]...), a.from.addr.AsSlice()...)
	b = append(append(b, 0, 0, 0, 0, 0, 0), a.who.AsSlice()...)
	s.frame = append(b, make([]byte, 60-len(b))...)
	return over
}

// monitored is a ping by the company's monitor, and now and then the gateway's
// advertisement (RFC 792, 4861).
func (s *stream) monitored() {
	from := end{mac: s.network.monitor.mac, addr: s.network.monitor.addrs[0]}
	s.add(1, &ping{ends: [2]end{from, s.network.self[0]}, number: uint16(s.random.Uint32())})
	if s.chance(0.3) {
		all := end{mac: [6]byte{0x33, 0x33, 0, 0, 0, 1}, addr: netip.MustParseAddr("ff02::1")}
		s.add(int64(time.Second), &ping{ends: [2]end{{mac: gateway, addr: netip.MustParseAddr("fe80::1")}, all}, advertise: true})
	}
}

// ping is an echo and its reply, or an advertisement.
type ping struct {
	ends      [2]end
	number    uint16
	answer    bool
	advertise bool
}

func (p *ping) act(s *stream) int64 {
	if p.advertise {
		b := appendIP(s.frame, &p.ends[0], &p.ends[1], icmpv6, 0)
		b = append(b, 134, 0, 0, 0, 64, 0x40, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1)
		b = append(b, gateway[:]...)
		sealIP(b, &p.ends[0], icmpv6)
		s.frame = b
		return over
	}
	kind, from, to := byte(8), &p.ends[0], &p.ends[1]
	if p.answer {
		kind, from, to = 0, to, from
	}
	b := appendIP(s.frame, from, to, icmp, p.number)
	b = append(b, kind, 0, 0, 0, 0, 7)
	b = binary.BigEndian.AppendUint16(b, p.number)
	b = append(b, "abcdefghijklmnopqrstuvwabcdefghi"...)
	sealIP(b, from, icmp)
	s.frame = b
	if p.answer {
		return over
	}
	p.answer = true
	return int64(30 * time.Microsecond)
}

// clock asks for the time (RFC 5905).
func (s *stream) clock() {
	f := &flow{ends: s.ends(s.network.domain, 123), protocol: udp, record: -1}
	f.ends[0].port = 123
	now := binary.BigEndian.AppendUint64(make([]byte, 40, 48), uint64(s.now)*2654435761)
	copy(now, "\xdb\x00\x11\xe9\x00\x00\x00\x00\x00\x01\x25\x13")
	f.steps = []step{{plain: now}, {wait: time.Millisecond, server: true, plain: now}}
	s.begin(0, f)
}
