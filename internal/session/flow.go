package session

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
)

// Bits of the TCP header's flags byte (RFC 9293, section 3.1).
const (
	tcpFIN = 0x01
	tcpSYN = 0x02
	tcpRST = 0x04
	tcpACK = 0x10
)

// IP protocol numbers
// (https://www.iana.org/assignments/protocol-numbers).
const (
	protoHopByHop = 0
	protoIPIP     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoDestOpts = 60
	protoMobility = 135
)

// A Flow is what one packet says about its session.
type Flow struct {
	Key Key
	// Hash is the seeded hash of Key.
	Hash uint64
	// Reverse says that the packet went from side B of the key to side A.
	Reverse bool
	// restarts says that the session has neither beginning nor end of its own
	// (ping, ARP, multicast), so that it begins anew from time to time.
	restarts bool
	tcp      bool
	tcpFlags uint8
}

// Opening says that the packet is of TCP's handshake up to where both sides have
// spoken, or refuses it: a SYN, with or without ACK, or a RST. A host sends these
// to whoever asks, so that they say nothing about whether there is a session.
func (f *Flow) Opening() bool { return f.tcp && f.tcpFlags&(tcpSYN|tcpRST) != 0 }

// A Decoder reads the session off a packet. It remembers first fragments, so
// it must see packets in their order and is not safe for concurrent use.
type Decoder struct {
	seed      seed
	fragments fragmentTable
}

// NewDecoder returns a Decoder with a hash seed of its own.
func NewDecoder() *Decoder { return &Decoder{seed: newSeed()} }

// Forget wipes the fragments that it remembers.
func (d *Decoder) Forget() { clear(d.fragments[:]) }

// Decode reads what data, a packet of link type lt, says about its session.
// Every packet belongs to some session, however short or odd it is.
func (d *Decoder) Decode(lt packet.LinkType, data []byte, f *Flow) {
	if lt != packet.LinkTypeEthernet || !f.plainIPv4(data) {
		d.decodeRare(lt, data, f)
		return
	}
	f.Hash = d.seed.hashIPv4(&f.Key)
}

// decodeRare is Decode for any packet.
func (d *Decoder) decodeRare(lt packet.LinkType, data []byte, f *Flow) {
	d.decodeLink(lt, data, f)
	f.Hash = d.seed.hash(&f.Key)
}

// Hash is the seeded hash of a key, the same as a Flow's.
func (d *Decoder) Hash(k *Key) uint64 { return d.seed.hash(k) }

// plainIPv4 reads the packet that nearly every packet is, unfragmented TCP or
// UDP over IPv4 without options over untagged Ethernet, in one straight line.
// It reports false, having done nothing, for any other.
func (f *Flow) plainIPv4(p []byte) bool {
	const end = 14 + 20 + 14 // up to the TCP flags
	if len(p) < end {
		return false
	}
	h := (*[end]byte)(p)
	proto := h[23]
	if binary.LittleEndian.Uint32(h[12:])&0xffffff != 0x450008 || binary.LittleEndian.Uint16(h[20:])&0xff3f != 0 || proto != protoTCP && proto != protoUDP {
		return false
	}
	// Which side is which changes from packet to packet: no branch must have to
	// be guessed for it.
	addrs, ports := binary.BigEndian.Uint64(h[26:]), uint64(binary.BigEndian.Uint32(h[34:]))
	from := addrs>>32<<16 | ports>>16
	to := addrs<<32>>16 | ports&0xffff
	a, b := min(from, to), max(from, to)
	f.Key = Key{a: addr{lo: a >> 16}, b: addr{lo: b >> 16}, meta: uint64(KindIPv4)<<48 | uint64(proto)<<32 | a&0xffff<<16 | b&0xffff}
	f.Reverse = to < from
	f.restarts = uint32(addrs) >= 0xe0000000 // multicast and broadcast
	f.tcp = proto == protoTCP
	f.tcpFlags = 0
	if f.tcp {
		f.tcpFlags = h[47]
	}
	return true
}

// setOther makes f a session of all undecodable packets of a link type.
func (f *Flow) setOther(lt packet.LinkType) {
	*f = Flow{Key: Key{meta: uint64(KindOther)<<48 | uint64(lt)<<32}, restarts: true}
}

// setMAC makes f the session of two hardware addresses.
func (f *Flow) setMAC(src, dst addr, etherType uint16) {
	*f = Flow{restarts: true}
	f.Key, f.Reverse = makeKey(KindMAC, etherType, src, dst, 0, 0)
}

func macAddr(b []byte) addr {
	return addr{lo: uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))}
}
