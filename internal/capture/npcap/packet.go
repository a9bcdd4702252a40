package npcap

import (
	"bytes"
	"unsafe"

	"github.com/packetcache/packetcache/internal/packet"
)

// A header is struct pcap_pkthdr as compiled for Windows, where a long has 32
// bits whatever the processor.
type header struct {
	seconds  uint32 // signed in C, and past 2038 all the same
	fraction int32  // microseconds or nanoseconds
	captured uint32
	length   uint32
}

// packet makes a packet of a header and the bytes that it heads. It reports false if
// the two cannot be true.
func (h *header) packet(data *byte, nano bool) (p packet.Packet, ok bool) {
	if data == nil || h.captured > packet.MaxLen {
		return p, false
	}
	fraction := int64(h.fraction)
	if !nano {
		fraction *= 1000
	}
	p.Time = int64(h.seconds)*1e9 + fraction
	p.Data = unsafe.Slice(data, h.captured)
	p.OrigLen = max(h.length, h.captured)
	return p, true
}

// linkTypeOf gives the number for files that belongs to one of libpcap's for
// programs (DLT_), in which raw IP is 12 on Windows. The others that differ
// are no link types of Npcap's.
func linkTypeOf(dlt int32) packet.LinkType {
	const dltATM, dltRaw, linkTypeATM = 11, 12, 100
	switch dlt {
	case dltATM:
		return linkTypeATM
	case dltRaw:
		return packet.LinkTypeRaw
	}
	return packet.LinkType(dlt)
}

// direction says which way a packet went, as far as its Ethernet addresses
// tell: the driver does not say. What others sent to all or to others can have
// come from the wire or from a virtual machine of this one.
func direction(lt packet.LinkType, mac, data []byte) packet.Direction {
	if lt != packet.LinkTypeEthernet || len(mac) != 6 || len(data) < 12 {
		return packet.DirectionUnknown
	}
	switch {
	case bytes.Equal(data[6:12], mac):
		return packet.Outbound
	case bytes.Equal(data[:6], mac):
		return packet.Inbound
	}
	return packet.DirectionUnknown
}
