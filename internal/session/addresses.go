package session

import (
	"encoding/binary"
	"net/netip"

	"github.com/packetcache/packetcache/internal/packet"
)

// ARP (RFC 826) and RARP (RFC 903).
const (
	etherARP  = 0x0806
	etherRARP = 0x8035
)

// Address families before packets of a loopback interface
// (https://www.tcpdump.org/linktypes.html).
const (
	familyIPv4        = 2
	familyIPv6BSD     = 24
	familyIPv6FreeBSD = 28
	familyIPv6Darwin  = 30
)

// Addresses returns the network addresses of a packet where a filter for a host
// looks for them: in the header of IP, or of ARP or RARP for IPv4, behind the
// link layer and VLAN tags. Inside of tunnels no filter looks. An address that
// is not there, or not whole, is not valid. It reports false if the packet may
// have others: then filters know more of its link type than is known here.
//
// Like filters, and unlike Decode, it believes the type that the link layer
// names, and looks at no other field.
func Addresses(lt packet.LinkType, p []byte) (src, dst netip.Addr, sure bool) {
	switch lt {
	case packet.LinkTypeEthernet:
		return tagged(p, 12)
	case packet.LinkTypeLinuxSLL:
		src, dst = typed(p, 14, 16)
	case packet.LinkTypeLinuxSLL2:
		src, dst = typed(p, 0, 20)
	case packet.LinkTypeIPv4:
		src, dst = pair(p, 12, 16, 4)
	case packet.LinkTypeIPv6:
		src, dst = pair(p, 8, 24, 16)
	case packet.LinkTypeRaw:
		if len(p) > 0 {
			src, dst = versioned(p)
		}
	case packet.LinkTypeNull, packet.LinkTypeLoop:
		if len(p) > 4 {
			src, dst = loopback(p)
		}
	default:
		return src, dst, false
	}
	return src, dst, true
}

// tagged reads what follows VLAN tags, of which the first begins at an offset.
func tagged(p []byte, at int) (src, dst netip.Addr, sure bool) {
	for range maxDepth {
		if len(p) < at+2 || !isVLAN(binary.BigEndian.Uint16(p[at:])) {
			src, dst = typed(p, at, at+2)
			return src, dst, true
		}
		at += 4
	}
	return src, dst, false
}

// typed reads the payload that an EtherType announces.
func typed(p []byte, etherType, payload int) (src, dst netip.Addr) {
	if len(p) < payload {
		return src, dst
	}
	switch binary.BigEndian.Uint16(p[etherType:]) {
	case etherIPv4:
		return pair(p[payload:], 12, 16, 4)
	case etherIPv6:
		return pair(p[payload:], 8, 24, 16)
	case etherARP, etherRARP:
		return pair(p[payload:], 14, 24, 4)
	}
	return src, dst
}

// versioned reads an IP packet of the version that it names.
func versioned(p []byte) (src, dst netip.Addr) {
	switch p[0] >> 4 {
	case 4:
		return pair(p, 12, 16, 4)
	case 6:
		return pair(p, 8, 24, 16)
	}
	return src, dst
}

// loopback reads an IP packet behind an address family in either byte order.
func loopback(p []byte) (src, dst netip.Addr) {
	switch min(binary.BigEndian.Uint32(p), binary.LittleEndian.Uint32(p)) {
	case familyIPv4:
		return pair(p[4:], 12, 16, 4)
	case familyIPv6BSD, familyIPv6FreeBSD, familyIPv6Darwin:
		return pair(p[4:], 8, 24, 16)
	}
	return src, dst
}

// pair reads two addresses of a header, each of so many bytes at its offset.
func pair(p []byte, src, dst, size int) (a, b netip.Addr) {
	if len(p) >= src+size {
		a, _ = netip.AddrFromSlice(p[src : src+size])
	}
	if len(p) >= dst+size {
		b, _ = netip.AddrFromSlice(p[dst : dst+size])
	}
	return a, b
}
