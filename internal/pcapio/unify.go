package pcapio

import (
	"math"

	"github.com/packetcache/packetcache/internal/packet"
)

// Unify returns the one link type that a classic pcap file gets whose packets
// have the given ones; AppendRecordAs then converts each packet:
//
//   - all the same: that one;
//   - all of them Ethernet, or network packets behind a header that says
//     little more than their protocol (raw IP, NULL, LOOP, Linux cooked v1 and
//     v2, PPP, PPPoE): Ethernet, which every tool reads;
//   - any other mix: PPI, whose header on each packet names the packet's own
//     link type. Wireshark and tcpdump read it.
//
// Without any link type it is Ethernet.
func Unify(types []packet.LinkType) packet.LinkType {
	for _, t := range types {
		if t != types[0] {
			return UnifyOpen(types)
		}
	}
	if len(types) == 0 {
		return packet.LinkTypeEthernet
	}
	return types[0]
}

// UnifyOpen is Unify for a file that packets of further link types may be added
// to: Ethernet or PPI, since these can hold all.
func UnifyOpen(types []packet.LinkType) packet.LinkType {
	for _, t := range types {
		if !likeEthernet(t) {
			return packet.LinkTypePPI
		}
	}
	return packet.LinkTypeEthernet
}

// likeEthernet reports whether packets of type t lose nothing that matters
// when they get an Ethernet header instead of their own.
func likeEthernet(t packet.LinkType) bool {
	switch t {
	case packet.LinkTypeEthernet,
		packet.LinkTypeRaw, packet.LinkTypeIPv4, packet.LinkTypeIPv6,
		packet.LinkTypeNull, packet.LinkTypeLoop,
		packet.LinkTypeLinuxSLL, packet.LinkTypeLinuxSLL2,
		packet.LinkTypePPP, packet.LinkTypePPPEther:
		return true
	}
	return false
}

// AppendRecordAs appends p, a packet of link type from, as a record of a
// classic pcap file of link type to, which Unify chose. The captured and the
// original length both change by as much as the headers differ; the payload is
// the same. Only where the new header makes it longer than packet.MaxLen are
// its last bytes cut off, since no reader takes such a record; its original
// length tells.
//
// A packet whose link type appeared after Unify had chosen Ethernet, and one
// whose payload has no EtherType, keeps all its bytes behind an Ethernet header
// with type 0x88b5, which IEEE 802 sets aside for local experiments.
func AppendRecordAs(buf []byte, p *packet.Packet, from, to packet.LinkType) []byte {
	if from == to {
		return AppendRecord(buf, p)
	}
	origLen := max(p.OrigLen, uint32(len(p.Data)))
	var h header
	if to == packet.LinkTypeEthernet {
		h = ethernetHeader(p.Data, int(origLen), from)
	} else {
		h = ppiHeader(from)
	}
	payload := p.Data[h.replaces:]
	payload = payload[:min(len(payload), packet.MaxLen-h.n)]
	buf = appendRecordHeader(buf, p.Time, h.n+len(payload), resize(origLen, h))
	buf = append(buf, h.bytes[:h.n]...)
	return append(buf, payload...)
}

// resize returns a length after h is in place, or the largest that there is.
func resize(length uint32, h header) uint32 {
	return uint32(min(int64(length)-int64(h.replaces)+int64(h.n), math.MaxUint32))
}

// A header takes the place of the first bytes of a packet.
type header struct {
	bytes    [ethernetLen + pppoeLen]byte
	n        int // bytes of it that count
	replaces int // bytes of the packet that make way
}

const ppiLen = 8

// ppiHeader returns the PPI header of a packet of link type t: version 0, no
// flags, no fields (CACE, "PPI Packet Header format").
func ppiHeader(t packet.LinkType) header {
	h := header{n: ppiLen}
	h.bytes[2] = ppiLen
	dlt := ppiDLT(t)
	h.bytes[4], h.bytes[5] = byte(dlt), byte(dlt>>8)
	return h
}

// ppiDLT returns the number that PPI has for link type t. The field is
// specified as a DLT_ and not a LINKTYPE_ number; the two differ for few types.
// tcpdump looks the number up among the DLTs of the system that it runs on,
// Wireshark takes either. So these are Linux's and Windows', which agree.
func ppiDLT(t packet.LinkType) uint16 {
	switch t {
	case packet.LinkTypeRaw:
		return 12
	case linkTypeATM:
		return 11
	}
	return uint16(t)
}

// linkTypeATM is LINKTYPE_ATM_RFC1483.
const linkTypeATM packet.LinkType = 100
