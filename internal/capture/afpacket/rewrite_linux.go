package afpacket

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// sllLen is the length of the Linux cooked header, version 1
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html).
const sllLen = 16

// headroom is what the kernel is asked to leave free before each packet
// (PACKET_RESERVE): room for the VLAN tag. In front of that it leaves 16 bytes
// to cooked sockets, which is the length of the cooked header.
const headroom = vlanTagLen

// rewrite makes of a packet as the kernel gave it the packet as it is stored.
// The bytes are block[start:end], their frame lies at block[at:]. It reports
// whether the packet is wanted.
func (w *walker) rewrite(f *frame, p *packet.Packet, block []byte, at, start, end uint64) bool {
	// On the loopback interface each packet is both sent and received.
	if w.loopback && p.Direction == packet.Outbound {
		return false
	}
	if w.cooked && start >= at+frameLen+sllLen {
		start -= sllLen
		putCookedHeader(block[start:start+sllLen], f)
		p.Data = block[start:end:end]
		p.OrigLen += sllLen
	}
	tagged := f.Status&unix.TP_STATUS_VLAN_VALID != 0
	if tagged && w.tagAt > 0 && len(p.Data) >= w.tagAt && start >= at+frameLen+vlanTagLen {
		start -= vlanTagLen
		p.Data = block[start:end:end]
		p.OrigLen += vlanTagLen
		putTag(p.Data, w.tagAt, f)
	}
	if w.can {
		toNetworkOrder(p.Data, f.from.Protocol)
	}
	if w.match != nil && (w.matchAll || tagged) {
		return w.match(p.Data, p.OrigLen)
	}
	return true
}

// putCookedHeader writes what the kernel says about a packet, in network order.
func putCookedHeader(b []byte, f *frame) {
	binary.BigEndian.PutUint16(b[0:], uint16(f.from.Pkttype))
	binary.BigEndian.PutUint16(b[2:], f.from.Hatype)
	binary.BigEndian.PutUint16(b[4:], uint16(f.from.Halen))
	copy(b[6:14], f.from.Addr[:])
	binary.NativeEndian.PutUint16(b[14:], f.from.Protocol) // already in network order
}

// putTag moves what stands before the tag's place down over the free bytes at
// the beginning of data and writes the tag into the gap (IEEE 802.1Q, 9.3).
func putTag(data []byte, tagAt int, f *frame) {
	copy(data[:tagAt], data[vlanTagLen:])
	tpid := uint16(unix.ETH_P_8021Q)
	if f.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = f.Hv1.Vlan_tpid
	}
	binary.BigEndian.PutUint16(data[tagAt:], tpid)
	binary.BigEndian.PutUint16(data[tagAt+2:], uint16(f.Hv1.Vlan_tci))
}

// Fields of SocketCAN frames (linux/can.h), and EtherTypes that say which kind
// of frame it is (linux/if_ether.h), in host order.
const (
	canFlagsAt  = 5
	canFDFlag   = 0x04 // CANFD_FDF
	canXLFlagAt = 4
	canXLFlag   = 0x80 // CANXL_XLF
)

// toNetworkOrder gives a CAN frame the form of LINKTYPE_CAN_SOCKETCAN
// (https://www.tcpdump.org/linktypes/LINKTYPE_CAN_SOCKETCAN.html): the first
// field is big-endian there and in host order here, and the flags tell what
// kind of frame it is. Protocol is in network order.
func toNetworkOrder(data []byte, protocol uint16) {
	if len(data) < 8 {
		return
	}
	binary.BigEndian.PutUint32(data, binary.NativeEndian.Uint32(data))
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], protocol)
	switch binary.BigEndian.Uint16(b[:]) {
	case unix.ETH_P_CAN:
		data[canXLFlagAt] &^= canXLFlag
		data[canFlagsAt] &^= canFDFlag
	case unix.ETH_P_CANFD:
		data[canXLFlagAt] &^= canXLFlag
		data[canFlagsAt] |= canFDFlag
	case unix.ETH_P_CANXL:
		data[canXLFlagAt] |= canXLFlag
	}
}
