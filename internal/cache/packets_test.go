package cache

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/packetcache/packetcache/internal/packet"
)

// Bits of the TCP flags, besides tcpACK.
const (
	tcpFIN = 0x01
	tcpSYN = 0x02
	tcpRST = 0x04
)

const (
	ipICMP = 1
	ipTCP  = 6
	ipUDP  = 17
	// ipNone stands for ARP, or for a link type that nobody can read.
	ipNone = 255
)

// linkUnknown is LINKTYPE_USER0.
const linkUnknown packet.LinkType = 147

// A talk is a conversation that packets are made of.
type talk struct {
	link  packet.LinkType
	iface packet.InterfaceID
	proto byte
	group bool   // it goes to a multicast address
	n     uint32 // tells it from others of its kind
}

// endless says that the conversation has no beginning of its own.
func (k *talk) endless() bool { return k.group || k.proto != ipTCP && k.proto != ipUDP }

// appendTo appends a packet of size bytes, or as many as the headers need,
// whose payload follows from the serial number.
func (k *talk) appendTo(b []byte, fromB bool, flags byte, size int, serial uint64) []byte {
	start := len(b)
	etherType := uint16(0x0800)
	if k.proto == ipNone {
		etherType = 0x0806
	}
	macA, macB := 0x02<<40|uint64(k.n), uint64(0x02ff<<32)
	if fromB {
		macA, macB = macB, macA
	}
	switch k.link {
	case packet.LinkTypeEthernet:
		b = binary.BigEndian.AppendUint64(b, macB<<16|macA>>32)
		b = binary.BigEndian.AppendUint32(b, uint32(macA))
		b = binary.BigEndian.AppendUint16(b, etherType)
	case packet.LinkTypeLinuxSLL:
		b = append(b, 0, 0, 0, 1, 0, 6)
		b = binary.BigEndian.AppendUint64(b, macA<<16)
		b = binary.BigEndian.AppendUint16(b, etherType)
	}
	if k.proto != ipNone {
		b = k.appendIP(b, fromB, flags, size-(len(b)-start))
	}
	fill := serial*0x9e3779b97f4a7c15 + 1
	for len(b)-start+8 <= size {
		b = binary.LittleEndian.AppendUint64(b, fill)
		if k.n%2 == 0 && len(b)%32 < 24 {
			continue // the packets of half of the conversations can be compressed
		}
		fill ^= fill << 13
		fill ^= fill >> 7
		fill ^= fill << 17
	}
	for len(b)-start < size {
		b = append(b, byte(fill))
		fill >>= 8
	}
	return b
}

func (k *talk) appendIP(b []byte, fromB bool, flags byte, size int) []byte {
	src, dst := 0x0a000000+k.n, uint32(0xc0a80001)
	if k.group {
		dst = 0xef000001
	}
	sport, dport := uint16(1024+k.n%60000), uint16(443)
	if fromB {
		src, dst, sport, dport = dst, src, dport, sport
	}
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	b = append(b, 0, 0, 0, 0, 64, k.proto, 0, 0)
	b = binary.BigEndian.AppendUint32(b, src)
	b = binary.BigEndian.AppendUint32(b, dst)
	switch k.proto {
	case ipTCP:
		b = binary.BigEndian.AppendUint16(b, sport)
		b = binary.BigEndian.AppendUint16(b, dport)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 4, 0, 0, 0, 0, 0)
	case ipUDP:
		b = binary.BigEndian.AppendUint16(b, sport)
		b = binary.BigEndian.AppendUint16(b, dport)
		b = append(b, 0, 8, 0, 0)
	default:
		b = append(b, 8, 0, 0, 0)
	}
	return b
}

// interfaces are what the talks of manyTalks pass through; the last one is
// of a link type that nobody can read.
var interfaces = []packet.Interface{
	{Name: "eth0", LinkType: packet.LinkTypeEthernet},
	{Name: "tun0", LinkType: packet.LinkTypeRaw},
	{Name: "any", LinkType: packet.LinkTypeLinuxSLL},
	{Name: "eth1", LinkType: packet.LinkTypeEthernet},
	{Name: "eth2", LinkType: packet.LinkTypeEthernet},
	{Name: "user", LinkType: linkUnknown},
}

// manyTalks makes n conversations of all kinds; the first is the one session
// of the unreadable link type.
func manyTalks(n int, random *rand.Rand) []*talk {
	unreadable := packet.InterfaceID(len(interfaces) - 1)
	talks := []*talk{{link: linkUnknown, iface: unreadable, proto: ipNone}}
	for len(talks) < n {
		iface := packet.InterfaceID(random.IntN(len(interfaces) - 1))
		k := &talk{link: interfaces[iface].LinkType, iface: iface, n: uint32(len(talks))}
		switch random.IntN(20) {
		case 0:
			k.proto = ipICMP
		case 1:
			k.proto, k.group = ipUDP, true
		case 2:
			k.proto = ipICMP
			if k.link == packet.LinkTypeEthernet {
				k.proto = ipNone
			}
		case 3, 4, 5, 6, 7, 8:
			k.proto = ipUDP
		default:
			k.proto = ipTCP
		}
		talks = append(talks, k)
	}
	return talks
}

// tcpACK is the flag of a packet in the middle of a session.
const tcpACK = 0x10
