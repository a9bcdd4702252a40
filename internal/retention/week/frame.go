package week

import (
	"encoding/binary"
	"net/netip"
)

// An end is one side of a conversation.
type end struct {
	mac  [6]byte
	addr netip.Addr
	port uint16
}

// The protocol numbers of IP that are used.
const (
	icmp   = 1
	igmp   = 2
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

// appendEthernet begins a frame.
func appendEthernet(b []byte, to, from [6]byte, etherType uint16) []byte {
	b = append(b, to[:]...)
	b = append(b, from[:]...)
	return binary.BigEndian.AppendUint16(b, etherType)
}

// appendIP begins a frame with an IP packet; sealIP puts in what depends on
// what follows.
func appendIP(b []byte, from, to *end, protocol byte, id uint16) []byte {
	if from.addr.Is4() {
		b = appendEthernet(b, to.mac, from.mac, 0x0800)
		b = append(b, 0x45, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, id)
		b = append(b, 0x40, 0, ttl(from), protocol, 0, 0)
	} else {
		b = appendEthernet(b, to.mac, from.mac, 0x86dd)
		b = append(b, 0x60, 0, 0, 0, 0, 0, protocol, ttl(from))
	}
	b = append(b, from.addr.AsSlice()...)
	return append(b, to.addr.AsSlice()...)
}

// ttl is what is left of 128 at a local host and of 64 from afar.
func ttl(from *end) byte {
	if from.mac == gateway {
		return 52
	}
	return 128
}

// sealIP puts lengths and checksums into a frame; transport is where TCP, UDP
// or ICMP begins.
func sealIP(b []byte, from *end, protocol byte) {
	const ip = 14
	transport := ip + 40
	if from.addr.Is4() {
		transport = ip + 20
		binary.BigEndian.PutUint16(b[ip+2:], uint16(len(b)-ip))
		binary.BigEndian.PutUint16(b[ip+10:], ^fold(sum(b[ip:transport])))
	} else {
		binary.BigEndian.PutUint16(b[ip+4:], uint16(len(b)-transport))
	}
	at, pseudo := 2, uint64(0) // the checksum of ICMP
	switch protocol {
	case tcp:
		at = 16
	case udp:
		at = 6
		binary.BigEndian.PutUint16(b[transport+4:], uint16(len(b)-transport))
	}
	if protocol != icmp && protocol != igmp {
		addresses := 2 * len(from.addr.AsSlice())
		pseudo = sum(b[transport-addresses:transport]) + uint64(protocol) + uint64(len(b)-transport)
	}
	binary.BigEndian.PutUint16(b[transport+at:], ^fold(pseudo+sum(b[transport:])))
}

// sum adds up 16-bit words (RFC 1071).
func sum(b []byte) (n uint64) {
	for ; len(b) >= 8; b = b[8:] {
		v := binary.BigEndian.Uint64(b)
		n += v>>32 + v&0xffffffff
	}
	for ; len(b) >= 2; b = b[2:] {
		n += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		n += uint64(b[0]) << 8
	}
	return n
}

func fold(n uint64) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
