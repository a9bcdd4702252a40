package session

import "encoding/binary"

// maxDepth is how many headers inside headers are peeled; a packet with more
// belongs to the session of the last that was read.
const maxDepth = 8

// network goes on with what etherType says p is. Where it can't, the session
// stays what it was.
func (d *Decoder) network(etherType uint16, p []byte, f *Flow, depth int) {
	if depth > maxDepth {
		return
	}
	switch etherType {
	case etherIPv4, etherIPv6:
		d.rawIP(p, f, depth)
	case etherMPLS, etherMPLSm:
		d.mpls(p, f, depth+1)
	case etherPPPoES:
		d.pppoe(p, f, depth+1)
	case etherTEB:
		d.ethernet(p, f, depth+1)
	case etherVLAN, etherQinQ, etherQinQ9:
		if len(p) >= 4 {
			d.network(binary.BigEndian.Uint16(p[2:]), p[4:], f, depth+1)
		}
	}
}

func (d *Decoder) rawIP(p []byte, f *Flow, depth int) {
	if len(p) == 0 || depth > maxDepth {
		return
	}
	switch p[0] >> 4 {
	case 4:
		d.ipv4(p, f, depth)
	case 6:
		d.ipv6(p, f, depth)
	}
}

// mpls pops the label stack; what lies below says nothing of itself but its
// first nibble (RFC 4928): IP, or 0 for a control word with Ethernet behind.
func (d *Decoder) mpls(p []byte, f *Flow, depth int) {
	for range maxDepth {
		if len(p) < 4 {
			return
		}
		bottom := p[2]&1 != 0
		p = p[4:]
		if !bottom {
			continue
		}
		if len(p) > 4 && p[0]>>4 == 0 {
			d.ethernet(p[4:], f, depth)
		} else {
			d.rawIP(p, f, depth)
		}
		return
	}
}

func (d *Decoder) ipv4(p []byte, f *Flow, depth int) {
	if len(p) < 20 {
		return
	}
	header := int(p[0]&0x0f) * 4
	if header < 20 || header > len(p) {
		return
	}
	src := addr{lo: uint64(binary.BigEndian.Uint32(p[12:]))}
	dst := addr{lo: uint64(binary.BigEndian.Uint32(p[16:]))}
	fragment := binary.BigEndian.Uint16(p[6:])
	frag := fragmentation{
		id:       uint32(binary.BigEndian.Uint16(p[4:])),
		protocol: p[9],
		first:    fragment&0x3fff == 0x2000,
		later:    fragment&0x1fff != 0,
	}
	protocol, p := p[9], p[header:]
	if protocol == protoAH && !frag.later && len(p) >= 8 { // RFC 4302: length in 4-byte words, less 2
		if size := int(p[1])*4 + 8; size <= len(p) {
			protocol, p = p[0], p[size:]
		}
	}
	d.transport(ipHeader{KindIPv4, protocol, src, dst, dst.lo >= 0xe0000000}, frag, p, f, depth)
}

func (d *Decoder) ipv6(p []byte, f *Flow, depth int) {
	if len(p) < 40 {
		return
	}
	src := addr{binary.BigEndian.Uint64(p[8:]), binary.BigEndian.Uint64(p[16:])}
	dst := addr{binary.BigEndian.Uint64(p[24:]), binary.BigEndian.Uint64(p[32:])}
	multicast := p[24] == 0xff
	next := p[6]
	p = p[40:]
	var frag fragmentation
	for range maxDepth { // extension headers, RFC 8200 section 4
		size := 0
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts, protoMobility:
			if len(p) >= 8 {
				size = int(p[1])*8 + 8
			}
		case protoAH:
			if len(p) >= 8 {
				size = int(p[1])*4 + 8
			}
		case protoFragment:
			if len(p) >= 8 {
				size = 8
				offset := binary.BigEndian.Uint16(p[2:])
				frag = fragmentation{
					id:       binary.BigEndian.Uint32(p[4:]),
					protocol: p[0],
					first:    offset>>3 == 0 && offset&1 != 0,
					later:    offset>>3 != 0,
				}
			}
		}
		if size == 0 || size > len(p) {
			break
		}
		next, p = p[0], p[size:]
		if frag.later {
			break
		}
	}
	d.transport(ipHeader{KindIPv6, next, src, dst, multicast}, frag, p, f, depth)
}

type ipHeader struct {
	kind      Kind
	protocol  uint8
	src, dst  addr
	multicast bool
}

// transport sets the session of an IP packet, or of the packet inside it.
func (d *Decoder) transport(ip ipHeader, frag fragmentation, p []byte, f *Flow, depth int) {
	if frag.later && d.fragments.find(ip, frag, f) {
		return
	}
	*f = Flow{restarts: true}
	f.Key, f.Reverse = makeKey(ip.kind, uint16(ip.protocol), ip.src, ip.dst, 0, 0)
	if frag.later {
		return
	}
	switch ip.protocol {
	case protoTCP, protoUDP:
		if len(p) < 4 {
			break
		}
		f.restarts = ip.multicast
		f.Key, f.Reverse = makeKey(ip.kind, uint16(ip.protocol), ip.src, ip.dst, binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:]))
		f.tcp = ip.protocol == protoTCP
		if f.tcp && len(p) >= 14 {
			f.tcpFlags = p[13]
		}
	case protoIPIP, protoIPv6:
		d.rawIP(p, f, depth+1)
	case protoGRE:
		d.gre(p, f, depth+1)
	}
	if frag.first {
		d.fragments.add(ip, frag, f)
	}
}

// gre peels generic routing encapsulation (RFC 2784, RFC 2890) and its
// version 1, which PPTP (RFC 2637) and MikroTik's EoIP use.
func (d *Decoder) gre(p []byte, f *Flow, depth int) {
	if len(p) < 4 {
		return
	}
	const checksum, routing, key, sequence, ack = 0x80, 0x40, 0x20, 0x10, 0x80
	at := 4
	etherType := binary.BigEndian.Uint16(p[2:])
	if p[1]&7 == 1 {
		at += 4 // key: payload length and call ID
		if p[0]&sequence != 0 {
			at += 4
		}
		if p[1]&ack != 0 {
			at += 4
		}
		switch {
		case at >= len(p):
		case etherType == etherPPP:
			d.ppp(p[at:], f, depth)
		case etherType == etherEoIP:
			d.ethernet(p[at:], f, depth)
		}
		return
	}
	if p[0]&(checksum|routing) != 0 {
		at += 4
	}
	if p[0]&key != 0 {
		at += 4
	}
	if p[0]&sequence != 0 {
		at += 4
	}
	if p[0]&routing == 0 && at < len(p) {
		d.network(etherType, p[at:], f, depth)
	}
}
