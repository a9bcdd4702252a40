package pcapio

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
)

// EtherTypes (IANA, IEEE 802 Numbers).
const (
	etherTypeIPv4         = 0x0800
	etherTypeIPv6         = 0x86dd
	etherTypeMPLS         = 0x8847
	etherTypeMPLSUpstream = 0x8848
	etherTypePPPoE        = 0x8864 // session stage, RFC 2516
	etherTypeJumboLLC     = 0x8870
	etherTypeExperimental = 0x88b5
	minEtherType          = 0x0600 // below it is a length
	maxLLCLen             = 1500
)

// PPP protocols (IANA, PPP Numbers).
const (
	pppIPv4         = 0x0021
	pppIPv6         = 0x0057
	pppMPLS         = 0x0281
	pppMPLSUpstream = 0x0283
)

const (
	ethernetLen = 14
	pppoeLen    = 6
	nullLen     = 4
	sllLen      = 16
	sll2Len     = 20
)

// ethernetHeader returns the Ethernet header that replaces what a packet of
// link type from begins with. It may hold the packet's length, so it takes the
// original one, origLen, which is at least len(data).
func ethernetHeader(data []byte, origLen int, from packet.LinkType) header {
	switch from {
	case packet.LinkTypeRaw:
		return ipHeader(data)
	case packet.LinkTypeIPv4:
		return plainHeader(etherTypeIPv4, 0)
	case packet.LinkTypeIPv6:
		return plainHeader(etherTypeIPv6, 0)
	case packet.LinkTypeNull, packet.LinkTypeLoop:
		return nullHeader(data)
	case packet.LinkTypeLinuxSLL:
		return sllHeader(data, origLen)
	case packet.LinkTypeLinuxSLL2:
		return sll2Header(data, origLen)
	case packet.LinkTypePPP:
		return pppHeader(data, origLen)
	case packet.LinkTypePPPEther:
		return plainHeader(etherTypePPPoE, 0)
	}
	return opaqueHeader()
}

// plainHeader returns a header with zero addresses.
func plainHeader(etherType uint16, replaces int) header {
	h := header{n: ethernetLen, replaces: replaces}
	binary.BigEndian.PutUint16(h.bytes[12:], etherType)
	return h
}

// opaqueHeader is for what no EtherType describes: nothing is replaced.
func opaqueHeader() header { return plainHeader(etherTypeExperimental, 0) }

// ipHeader goes by the version in the first half byte.
func ipHeader(data []byte) header {
	if len(data) > 0 {
		switch data[0] >> 4 {
		case 4:
			return plainHeader(etherTypeIPv4, 0)
		case 6:
			return plainHeader(etherTypeIPv6, 0)
		}
	}
	return opaqueHeader()
}

// nullHeader goes by the address family, which is in the byte order of the
// capturing machine for NULL and in network byte order for LOOP. For IPv6 every
// system has its own number.
func nullHeader(data []byte) header {
	if len(data) < nullLen {
		return opaqueHeader()
	}
	family := binary.LittleEndian.Uint32(data)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(data)
	}
	switch family {
	case 2:
		return plainHeader(etherTypeIPv4, nullLen)
	case 10, 23, 24, 26, 28, 30: // Linux, Windows, NetBSD and OpenBSD, Solaris, FreeBSD, macOS
		return plainHeader(etherTypeIPv6, nullLen)
	}
	return opaqueHeader()
}

// sllHeader converts LINKTYPE_LINUX_SLL.
func sllHeader(data []byte, origLen int) header {
	if len(data) < sllLen {
		return opaqueHeader()
	}
	return cookedHeader(cooked{
		packetType: binary.BigEndian.Uint16(data),
		hardware:   binary.BigEndian.Uint16(data[2:]),
		addrLen:    int(binary.BigEndian.Uint16(data[4:])),
		addr:       data[6:14],
		protocol:   binary.BigEndian.Uint16(data[14:]),
	}, origLen-sllLen, sllLen)
}

// sll2Header converts LINKTYPE_LINUX_SLL2, whose interface index is lost.
func sll2Header(data []byte, origLen int) header {
	if len(data) < sll2Len {
		return opaqueHeader()
	}
	return cookedHeader(cooked{
		packetType: uint16(data[10]),
		hardware:   binary.BigEndian.Uint16(data[8:]),
		addrLen:    int(data[11]),
		addr:       data[12:20],
		protocol:   binary.BigEndian.Uint16(data),
	}, origLen-sll2Len, sll2Len)
}

// cooked is what both versions of the Linux cooked header say.
type cooked struct {
	packetType uint16
	hardware   uint16 // ARPHRD_ number
	addrLen    int
	addr       []byte // 8 bytes, padded
	protocol   uint16
}

// Values of the fields of cooked (linux/if_packet.h, if_arp.h, if_ether.h).
const (
	packetBroadcast = 1
	arphrdFRAD      = 770
	arphrd80211     = 801
	arphrdPrism     = 802
	arphrdRadiotap  = 803
	arphrdNetlink   = 824
	protocol8023    = 1 // Novell's frames without LLC
	protocol8022    = 4 // LLC follows
)

// cookedHeader keeps the sender's address, the first 6 bytes if it is longer,
// and the protocol. Of the receiver only broadcast is known. payload is the
// original length of what follows the cooked header of length bytes.
func cookedHeader(c cooked, payload, length int) header {
	switch c.hardware {
	case arphrdFRAD, arphrd80211, arphrdPrism, arphrdRadiotap, arphrdNetlink:
		return opaqueHeader() // the protocol is something else there, or nothing
	}
	var h header
	switch {
	case c.protocol >= minEtherType:
		h = plainHeader(c.protocol, length)
	case c.protocol != protocol8022 && c.protocol != protocol8023:
		return opaqueHeader()
	case payload > maxLLCLen:
		h = plainHeader(etherTypeJumboLLC, length)
	default:
		h = plainHeader(uint16(payload), length)
	}
	if c.packetType == packetBroadcast {
		copy(h.bytes[:6], "\xff\xff\xff\xff\xff\xff")
	}
	copy(h.bytes[6:12], c.addr[:min(c.addrLen, len(c.addr))])
	return h
}

// pppHeader gives IP and MPLS their EtherTypes; other PPP packets, such as LCP, become
// those of a PPPoE session 0 (RFC 2516), which keeps their protocol. The
// address and control field of HDLC-like framing, always ff 03, goes away.
func pppHeader(data []byte, origLen int) header {
	framing := 0
	if len(data) >= 2 && data[0] == 0xff && data[1] == 0x03 {
		framing = 2
	}
	protocol, width := pppProtocol(data[framing:])
	length := origLen - framing
	switch protocol {
	case pppIPv4:
		return plainHeader(etherTypeIPv4, framing+width)
	case pppIPv6:
		return plainHeader(etherTypeIPv6, framing+width)
	case pppMPLS:
		return plainHeader(etherTypeMPLS, framing+width)
	case pppMPLSUpstream:
		return plainHeader(etherTypeMPLSUpstream, framing+width)
	}
	if width < 2 || length > 0xffff {
		return opaqueHeader() // nothing that PPPoE can carry
	}
	h := plainHeader(etherTypePPPoE, framing)
	h.n += pppoeLen
	h.bytes[ethernetLen] = 0x11 // version 1, type 1; code and session are 0
	binary.BigEndian.PutUint16(h.bytes[ethernetLen+4:], uint16(length))
	return h
}

// pppProtocol returns the protocol that a PPP packet begins with and how many
// bytes that takes: 2, or 1 where the link compresses it (RFC 1661, section
// 6.5), which the odd first byte shows, or 0 if it is not there.
func pppProtocol(b []byte) (protocol uint16, width int) {
	switch {
	case len(b) >= 1 && b[0]&1 != 0:
		return uint16(b[0]), 1
	case len(b) >= 2:
		return binary.BigEndian.Uint16(b), 2
	}
	return 0, 0
}
