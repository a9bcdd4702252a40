package session

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// An end is one side of a conversation, with an address for every layer.
type end struct {
	mac    string // 6 bytes
	v4, v6 netip.Addr
	port   uint16
}

var (
	client = end{"\x02\x00\x00\x00\x00\x0a", netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1"), 40000}
	server = end{"\x02\x00\x00\x00\x00\x0b", netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2"), 443}
	// The ends of a tunnel that the conversation goes through.
	gate   = end{"\x02\x00\x00\x00\x00\x01", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8:f::1"), 0}
	uplink = end{"\x02\x00\x00\x00\x00\x02", netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8:f::2"), 0}
)

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func u16(values ...uint16) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func u32(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

func ethernet(from, to end, etherType uint16, payload ...[]byte) []byte {
	return cat([]byte(to.mac), []byte(from.mac), u16(etherType), cat(payload...))
}

func tcp(from, to end, flags byte) []byte {
	return cat(u16(from.port, to.port), u32(1, 2), []byte{0x50, flags}, u16(1024, 0, 0), []byte("data"))
}

func udp(from, to end) []byte {
	return cat(u16(from.port, to.port, 12, 0), []byte("data"))
}

func ipv4(from, to end, protocol byte, payload ...[]byte) []byte {
	return ipv4Fragment(from, to, protocol, 0, 0, payload...)
}

// ipv4Fragment takes the flags and offset as they stand in the header.
func ipv4Fragment(from, to end, protocol byte, id, fragment uint16, payload ...[]byte) []byte {
	data := cat(payload...)
	return cat([]byte{0x45, 0}, u16(uint16(20+len(data)), id, fragment), []byte{64, protocol}, u16(0),
		from.v4.AsSlice(), to.v4.AsSlice(), data)
}

func ipv4Options(from, to end, protocol byte, payload ...[]byte) []byte {
	data := cat(payload...)
	return cat([]byte{0x47, 0}, u16(uint16(28+len(data)), 0, 0), []byte{64, protocol}, u16(0),
		from.v4.AsSlice(), to.v4.AsSlice(), make([]byte, 8), data)
}

func ipv6(from, to end, next byte, payload ...[]byte) []byte {
	data := cat(payload...)
	return cat([]byte{0x60, 0, 0, 0}, u16(uint16(len(data))), []byte{next, 64}, from.v6.AsSlice(), to.v6.AsSlice(), data)
}

// option is an IPv6 extension header of 8 or, where long is set, 16 bytes.
func option(next byte, long bool) []byte {
	if long {
		return append([]byte{next, 1}, make([]byte, 14)...)
	}
	return append([]byte{next, 0}, make([]byte, 6)...)
}

// authentication is a header of RFC 4302 with a check value of 12 bytes.
func authentication(next byte) []byte { return append([]byte{next, 4}, make([]byte, 22)...) }

func ipv6Fragment(next byte, id uint32, offset uint16, more bool) []byte {
	field := offset &^ 7
	if more {
		field |= 1
	}
	return cat([]byte{next, 0}, u16(field), u32(id))
}

func label(value uint32, bottom bool) []byte {
	entry := value<<12 | 64
	if bottom {
		entry |= 1 << 8
	}
	return u32(entry)
}

func pppoe(protocol []byte, payload []byte) []byte {
	return cat([]byte{0x11, 0}, u16(1, uint16(len(protocol)+len(payload))), protocol, payload)
}

// llc is LLC with SNAP, as 802.11 data frames have it.
func llc(etherType uint16) []byte { return cat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(etherType)) }

// toDS, fromDS and wds are 802.11 data frames on the three ways that an
// access point takes part in.
func toDS(from, to end, control, flags byte, payload ...[]byte) []byte {
	return cat([]byte{control, flags | 1, 0, 0}, []byte(gate.mac), []byte(from.mac), []byte(to.mac), u16(0), cat(payload...))
}

func fromDS(from, to end, control, flags byte, payload ...[]byte) []byte {
	return cat([]byte{control, flags | 2, 0, 0}, []byte(to.mac), []byte(gate.mac), []byte(from.mac), u16(0), cat(payload...))
}

func wds(from, to end, payload ...[]byte) []byte {
	return cat([]byte{0x08, 3, 0, 0}, []byte(uplink.mac), []byte(gate.mac), []byte(to.mac), u16(0), []byte(from.mac), cat(payload...))
}

func adHoc(from, to end, control, flags byte, payload ...[]byte) []byte {
	return cat([]byte{control, flags, 0, 0}, []byte(to.mac), []byte(from.mac), []byte(gate.mac), u16(0), cat(payload...))
}

// nflogAttribute is one of LINKTYPE_NFLOG, padded to four bytes.
func nflogAttribute(kind uint16, value []byte) []byte {
	padding := make([]byte, -len(value)&3)
	return cat(le16(uint16(4+len(value))), le16(kind), value, padding)
}
