package session

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
)

// EtherTypes (https://www.iana.org/assignments/ieee-802-numbers) and what
// else stands in their place.
const (
	etherIPv4   = 0x0800
	etherEoIP   = 0x6400 // MikroTik's Ethernet over IP, in GRE of version 1
	etherTEB    = 0x6558 // transparent Ethernet bridging: an Ethernet frame
	etherVLAN   = 0x8100
	etherIPv6   = 0x86dd
	etherPPP    = 0x880b // PPTP, in GRE of version 1
	etherMPLS   = 0x8847
	etherMPLSm  = 0x8848
	etherPPPoES = 0x8864
	etherQinQ   = 0x88a8
	etherQinQ9  = 0x9100
	ether8023   = 0x0600 // below: a length (IEEE 802.3), LLC follows
)

// PPP protocol numbers (RFC 1661 and successors).
const (
	pppIPv4  = 0x0021
	pppIPv6  = 0x0057
	pppMPLS  = 0x0281
	pppMPLSm = 0x0283
)

// decodeLink reads the link layer of lt and goes on to what it carries. The
// session is first set to the little that is known and improved layer by
// layer, so that a packet cut short anywhere still has one.
func (d *Decoder) decodeLink(lt packet.LinkType, p []byte, f *Flow) {
	f.setOther(lt)
	switch lt {
	case packet.LinkTypeEthernet:
		d.ethernet(p, f, 0)
	case packet.LinkTypeRaw, packet.LinkTypeIPv4, packet.LinkTypeIPv6:
		d.rawIP(p, f, 0)
	case packet.LinkTypeNull, packet.LinkTypeLoop:
		// The address family's number and byte order vary by system; the IP
		// version nibble behind it does not.
		if len(p) > 4 {
			d.rawIP(p[4:], f, 0)
		}
	case packet.LinkTypeLinuxSLL:
		if len(p) >= 16 {
			d.cooked(p[6:14], binary.BigEndian.Uint16(p[14:]), p[16:], f)
		}
	case packet.LinkTypeLinuxSLL2:
		if len(p) >= 20 {
			d.cooked(p[12:20], binary.BigEndian.Uint16(p), p[20:], f)
		}
	case packet.LinkTypePPP:
		d.ppp(p, f, 0)
	case packet.LinkTypePPPHDLC, packet.LinkTypeCHDLC:
		d.hdlc(p, f)
	case packet.LinkTypePPPEther:
		d.pppoe(p, f, 0)
	case packet.LinkType80211, packet.LinkTypeRadiotap, packet.LinkTypePrism, packet.LinkTypeAVS, packet.LinkTypePPI:
		d.wireless(lt, p, f)
	case packet.LinkTypeNFLOG:
		d.nflog(p, f)
	}
}

func (d *Decoder) ethernet(p []byte, f *Flow, depth int) {
	if len(p) < 14 {
		return
	}
	src, dst := macAddr(p[6:]), macAddr(p)
	at, etherType := 14, binary.BigEndian.Uint16(p[12:])
	for tags := 0; isVLAN(etherType) && len(p) >= at+4 && tags < maxDepth; tags++ {
		etherType = binary.BigEndian.Uint16(p[at+2:])
		at += 4
	}
	if depth == 0 {
		f.setMAC(src, dst, etherTypeOrLLC(etherType, p[at:]))
	}
	d.network(etherType, p[at:], f, depth)
}

func isVLAN(etherType uint16) bool {
	return etherType == etherVLAN || etherType == etherQinQ || etherType == etherQinQ9
}

// etherTypeOrLLC gives 802.3 frames, whose lengths differ from frame to
// frame, the service access points instead, so that they form one session.
func etherTypeOrLLC(etherType uint16, payload []byte) uint16 {
	if etherType >= ether8023 || len(payload) < 2 {
		return etherType
	}
	return binary.BigEndian.Uint16(payload)
}

// cooked reads the payload of a Linux cooked capture, which knows one
// address: eight bytes, padded.
func (d *Decoder) cooked(address []byte, protocol uint16, payload []byte, f *Flow) {
	f.setMAC(macAddr(address), addr{}, etherTypeOrLLC(protocol, payload))
	for tags := 0; isVLAN(protocol) && len(payload) >= 4 && tags < maxDepth; tags++ {
		protocol = binary.BigEndian.Uint16(payload[2:])
		payload = payload[4:]
	}
	d.network(protocol, payload, f, 0)
}

func (d *Decoder) ppp(p []byte, f *Flow, depth int) {
	if len(p) >= 2 && p[0] == 0xff && p[1] == 0x03 { // address and control
		p = p[2:]
	}
	if len(p) < 2 {
		return
	}
	protocol := uint16(p[0])
	if protocol&1 != 0 { // compressed to one byte
		p = p[1:]
	} else {
		protocol = binary.BigEndian.Uint16(p)
		p = p[2:]
	}
	switch protocol {
	case pppIPv4, pppIPv6:
		d.rawIP(p, f, depth+1)
	case pppMPLS, pppMPLSm:
		d.mpls(p, f, depth+1)
	}
}

func (d *Decoder) hdlc(p []byte, f *Flow) {
	switch {
	case len(p) >= 2 && p[0] == 0xff:
		d.ppp(p, f, 0)
	case len(p) >= 4: // Cisco: address, control, EtherType
		d.network(binary.BigEndian.Uint16(p[2:]), p[4:], f, 0)
	}
}

func (d *Decoder) pppoe(p []byte, f *Flow, depth int) {
	if len(p) >= 6 {
		d.ppp(p[6:], f, depth)
	}
}

// nflog walks the attributes of a Linux NFLOG packet to its payload
// (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html). Lengths are in
// the capturing machine's byte order; all that matter write little-endian.
func (d *Decoder) nflog(p []byte, f *Flow) {
	const payload = 9
	for at := 4; at+4 <= len(p); {
		n := int(binary.LittleEndian.Uint16(p[at:]))
		kind := binary.LittleEndian.Uint16(p[at+2:]) & 0x7fff
		if n < 4 || at+n > len(p) {
			return
		}
		if kind == payload {
			d.rawIP(p[at+4:at+n], f, 0)
			return
		}
		at += (n + 3) &^ 3
	}
}
