// Package session tells which session a packet belongs to and how much of
// that session came before it.
//
// A session is a bidirectional five-tuple for TCP and UDP, an address pair
// and protocol for other IP, a MAC pair and EtherType for the rest, and the
// link type where nothing better can be read.
package session

import (
	"encoding/binary"
	"net/netip"
)

// A Kind says what the addresses of a Key are.
type Kind uint8

// The kinds, from the least to the most that could be read of a packet.
const (
	KindOther Kind = iota // no addresses; Protocol is the link type
	KindMAC               // 48-bit MAC addresses; Protocol is the EtherType
	KindIPv4              // Protocol is the IP protocol number
	KindIPv6
)

// An addr is an address as two big-endian halves; IPv4 and MAC addresses
// stand in lo alone.
type addr struct{ hi, lo uint64 }

func (a addr) less(b addr) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// A Key names a session whichever way its packets go: side A is the one with
// the lower address, or the lower port where the addresses are equal.
type Key struct {
	a, b addr
	// meta is kind<<48 | protocol<<32 | port of A<<16 | port of B.
	meta uint64
}

// Kind says how the addresses are to be read.
func (k Key) Kind() Kind { return Kind(k.meta >> 48) }

// Protocol is the IP protocol number, the EtherType or the link type,
// depending on Kind.
func (k Key) Protocol() uint16 { return uint16(k.meta >> 32) }

// Ports are those of TCP and UDP, else 0.
func (k Key) Ports() (a, b uint16) { return uint16(k.meta >> 16), uint16(k.meta) }

// Addrs are the IP addresses of both sides, invalid unless Kind is KindIPv4
// or KindIPv6.
func (k Key) Addrs() (a, b netip.Addr) { return k.a.ip(k.Kind()), k.b.ip(k.Kind()) }

// MACs are the hardware addresses of both sides, nil unless Kind is KindMAC.
func (k Key) MACs() (a, b []byte) {
	if k.Kind() != KindMAC {
		return nil, nil
	}
	return k.a.mac(), k.b.mac()
}

func (a addr) ip(kind Kind) netip.Addr {
	switch kind {
	case KindIPv4:
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(a.lo))))
	case KindIPv6:
		b := binary.BigEndian.AppendUint64(nil, a.hi)
		return netip.AddrFrom16([16]byte(binary.BigEndian.AppendUint64(b, a.lo)))
	default:
		return netip.Addr{}
	}
}

func (a addr) mac() []byte { return binary.BigEndian.AppendUint64(nil, a.lo)[2:] }

// makeKey puts the sides in order; reverse says that the packet went from
// side B to side A.
func makeKey(kind Kind, protocol uint16, src, dst addr, sport, dport uint16) (k Key, reverse bool) {
	if dst.less(src) || src == dst && dport < sport {
		src, dst, sport, dport, reverse = dst, src, dport, sport, true
	}
	return Key{a: src, b: dst, meta: uint64(kind)<<48 | uint64(protocol)<<32 | uint64(sport)<<16 | uint64(dport)}, reverse
}
