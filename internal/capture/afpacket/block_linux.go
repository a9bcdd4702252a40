package afpacket

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// A frame is what the kernel writes before the bytes of each packet: struct
// tpacket3_hdr and, behind it, struct sockaddr_ll.
type frame struct {
	unix.Tpacket3Hdr
	from unix.RawSockaddrLinklayer
}

const (
	// frameLen is TPACKET3_HDRLEN of if_packet.h. (unsafe.Sizeof(frame{}) is
	// the same, which a test holds it to.)
	frameLen = 68
	// blockHeaderLen is the size of struct tpacket_block_desc; the fields that
	// matter stand in its union member hdr.bh1.
	blockHeaderLen = 48
	atBlockStatus  = 8
	atBlockPackets = 12
	atBlockFirst   = 16
	frameAlignment = 8 // the kernel aligns frames in a block to 8 bytes
	nanosPerSecond = 1e9
	batchLen       = 64 // so few that headers and data are still in the first-level cache
	vlanTagLen     = 4
)

// A walker turns blocks into batches of packets. It allocates nothing.
type walker struct {
	iface   packet.InterfaceID
	snapLen uint32
	// tagAt is where a stripped VLAN tag goes back, 0 for nowhere.
	tagAt int
	// special is set if packets need more than a look at their header: any of
	// the following four.
	special  bool
	cooked   bool
	can      bool
	loopback bool
	matchAll bool
	// match is the capture filter for packets that the kernel sees otherwise
	// than they are stored: tagged ones, and all if matchAll is set.
	match func(data []byte, origLen uint32) bool

	batch [batchLen]packet.Packet
}

// walk delivers the packets of a block, which must be at least blockHeaderLen
// long and begin at a multiple of 8. It returns how many the sink got and how
// many could not be made sense of; the kernel never writes such, but nothing
// outside the block is read or written if it does.
func (w *walker) walk(block []byte, sink capture.Sink) (delivered, lost uint64) {
	var (
		size = uint64(len(block))
		left = *(*uint32)(unsafe.Pointer(&block[atBlockPackets]))
		at   = uint64(*(*uint32)(unsafe.Pointer(&block[atBlockFirst])))
		n    = 0
	)
	for ; left > 0; left-- {
		if at+frameLen > size || at%frameAlignment != 0 {
			break
		}
		f := (*frame)(unsafe.Pointer(&block[at]))
		start := at + uint64(f.Mac)
		end := start + uint64(f.Snaplen)
		if f.Mac < frameLen || end > size {
			break
		}
		if n == batchLen {
			sink.Packets(w.batch[:])
			delivered += batchLen
			n = 0
		}
		p := &w.batch[n]
		p.Time = int64(f.Sec)*nanosPerSecond + int64(f.Nsec)
		p.Data = block[start:end:end]
		p.OrigLen = max(f.Len, f.Snaplen)
		p.Interface = w.iface
		p.Direction = packet.Inbound
		if f.from.Pkttype == unix.PACKET_OUTGOING {
			p.Direction = packet.Outbound
		}
		keep := true
		if w.special || f.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			keep = w.rewrite(f, p, block, at, start, end)
		}
		if keep {
			if uint32(len(p.Data)) > w.snapLen {
				p.Data = p.Data[:w.snapLen]
			}
			n++
		}
		if f.Next_offset == 0 {
			left--
			break
		}
		at += uint64(f.Next_offset)
	}
	if n > 0 {
		sink.Packets(w.batch[:n])
		delivered += uint64(n)
	}
	return delivered, uint64(left)
}
