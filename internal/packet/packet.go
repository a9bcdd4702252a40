// Package packet holds the words that every other package speaks: a captured
// packet, the interface it came from, and the link types of both.
package packet

import "net/netip"

// MaxLen is the largest captured length of a packet in bytes: what tcpdump,
// dumpcap and we take by default (Wireshark's WTAP_MAX_PACKET_SIZE_STANDARD).
const MaxLen = 262144

// A Direction says which way a packet passed its interface.
type Direction uint8

// The values are those of the pcapng flags word
// (draft-ietf-opsawg-pcapng, section 4.3.1).
const (
	DirectionUnknown Direction = iota
	Inbound
	Outbound
)

// An InterfaceID numbers an interface within this run of the service, from 0.
type InterfaceID uint16

// A Packet is one captured packet. Data is borrowed: it belongs to whoever
// handed the packet over and is valid only until the call that passed it
// returns, so that a packet can stand in a kernel ring until it is stored.
type Packet struct {
	// Time is when the packet passed, in nanoseconds since the Unix epoch.
	Time int64
	// Data are the captured bytes, from the link layer on.
	Data []byte
	// OrigLen is the length on the wire in bytes, at least len(Data).
	OrigLen uint32
	// Interface is where the packet was seen.
	Interface InterfaceID
	// Direction is Inbound or Outbound where the source knows it.
	Direction Direction
}

// An Interface is a place where packets are captured: a network interface of
// this machine, or one described in a replayed file.
type Interface struct {
	// Name is unique among the interfaces of one source: "eth0", "Ethernet 2".
	Name string
	// Description is free text, such as the adapter's model; may be empty.
	Description string
	// Index is the operating system's number, 0 if there is none.
	Index int
	// LinkType says how a packet's first bytes are to be read.
	LinkType LinkType
	// MAC is the hardware address, 6 or 8 bytes, or nil.
	MAC []byte
	// Addrs are the network addresses, with their prefix lengths.
	Addrs []netip.Prefix
	// SnapLen is the most that is captured of a packet in bytes, 0 for all.
	SnapLen uint32
	// Filter is the capture filter in pcap-filter(7) syntax; may be empty.
	Filter string
	// OS is the operating system of the capturing machine; may be empty.
	OS string
}
