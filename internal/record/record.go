// Package record holds how packets are kept: as records in segments, in the
// memory of the cache and in the file to which it is saved.
package record

import (
	"encoding/binary"
	"math/bits"

	"github.com/packetcache/packetcache/internal/packet"
)

// A record is a packet in a segment: a header of 4 to 24 bytes, in the
// probation log a stamp of 4, and the captured bytes.
//
//	flags      1 byte
//	length     2 bytes; 0xffff says that 4 bytes follow with the real one
//	time       1 to 8 bytes
//	interface  2 bytes, unless it is that of the record before
//	tie        2 bytes, only if the time is that of the packet before, or it was moved
//	wire       4 bytes, the length on the wire, unless all of it was captured
//
// All integers are little-endian. A time of 8 bytes is nanoseconds since the
// Unix epoch; a shorter one holds the difference to the record before: bit 0
// says that the unit is a microsecond, the rest is zigzag.
const (
	flagDirection = 0x03
	flagWire      = 0x04
	flagInterface = 0x08
	flagTimeSize  = 0x70 // bytes less one
	flagTie       = 0x80
	timeSizeShift = 4

	longData = 0xffff

	// absoluteTime is the size that says so.
	absoluteTime = 8
)

// Sizes in bytes.
const (
	minHeader = 4
	// MaxHeader is what a header takes at most.
	MaxHeader = 1 + 2 + 4 + 8 + 2 + 2 + 4 + 1
	// StampSize is what follows the header in the probation log.
	StampSize = 4
	// Room is what Put may write to: the longest header, a stamp, and what its
	// wide stores spill.
	Room = MaxHeader + StampSize + 8
	// FollowingRoom is what Following may read.
	FollowingRoom = MaxHeader + 8
)

// A Header is what a record says of its packet.
type Header struct {
	// Time is in nanoseconds since the Unix epoch.
	Time int64
	// Length is how many bytes were captured, Wire how many it had, no fewer.
	Length int
	Wire   uint32
	// Interface is its number in the table that the segment names.
	Interface packet.InterfaceID
	// Tie numbers packets with the same time, from 0, as they came. Moved may be
	// set in it.
	Tie       uint16
	Direction packet.Direction
}

// Moved is set in the tie of a record that stood in another log before: who reads
// on from some moment has had it there, or will.
const Moved = 1 << 15

// Place is the tie without Moved.
func (h *Header) Place() uint16 { return h.Tie &^ Moved }

// Fill makes p the packet of a header and its data.
func (h *Header) Fill(p *packet.Packet, data []byte) {
	p.Time, p.Data, p.OrigLen, p.Interface, p.Direction = h.Time, data, h.Wire, h.Interface, h.Direction
}

// A Base is what a header is told relative to: the record before it.
type Base struct {
	Time      int64
	Interface packet.InterfaceID
	// None: there is no record before it, or it must be readable without.
	None bool
}

// Put encodes the header of a packet at the front of b, which has Room bytes at
// least, and returns its size. With stamp, a stamp of zero follows.
func Put(b []byte, p *packet.Packet, tie uint16, from Base, stamp bool) int {
	_ = b[Room-1]
	length := len(p.Data)
	value, size := putTime(p.Time, from)
	flags := uint32(p.Direction)&flagDirection | uint32(size-1)<<timeSizeShift
	if p.Interface == from.Interface && tie == 0 && length < longData && p.OrigLen <= uint32(length) && !from.None && !stamp {
		// Nearly all are like this: four bytes, of which the last is written
		// over at once, and the time.
		binary.LittleEndian.PutUint32(b, flags|uint32(length)<<8)
		binary.LittleEndian.PutUint64(b[3:], value)
		return 3 + size
	}
	n := 3
	if length < longData {
		binary.LittleEndian.PutUint16(b[1:], uint16(length))
	} else {
		binary.LittleEndian.PutUint16(b[1:], longData)
		binary.LittleEndian.PutUint32(b[3:], uint32(length))
		n = 7
	}
	binary.LittleEndian.PutUint64(b[n:], value)
	n += size
	if p.Interface != from.Interface || from.None {
		flags |= flagInterface
		binary.LittleEndian.PutUint16(b[n:], uint16(p.Interface))
		n += 2
	}
	if tie != 0 {
		flags |= flagTie
		binary.LittleEndian.PutUint16(b[n:], tie)
		n += 2
	}
	if p.OrigLen > uint32(length) {
		flags |= flagWire
		binary.LittleEndian.PutUint32(b[n:], p.OrigLen)
		n += 4
	}
	b[0] = byte(flags)
	if stamp {
		binary.LittleEndian.PutUint32(b[n:], 0)
		n += StampSize
	}
	return n
}

// PutNext is Put for what nearly every packet is: gap nanoseconds, more than 0
// and less than 2^54, after the record before and of the same interface, with
// less than 64 KiB - 1, all of which were captured. It writes to the first 11
// bytes of b.
func PutNext(b []byte, gap uint64, length int, direction packet.Direction) int {
	value := gap << 2
	if us := gap / 1000; us*1000 == gap {
		value = us<<2 | 1
	}
	size := (bits.Len64(value) + 7) >> 3
	flags := uint32(direction)&flagDirection | uint32(size-1)<<timeSizeShift
	binary.LittleEndian.PutUint32(b, flags|uint32(length)<<8)
	binary.LittleEndian.PutUint64(b[3:], value)
	return 3 + size
}

// putTime encodes a time in size bytes.
func putTime(time int64, from Base) (value uint64, size int) {
	delta := time - from.Time
	unit := uint64(0)
	if us := delta / 1000; us*1000 == delta {
		delta, unit = us, 1
	}
	zigzag := uint64(delta<<1) ^ uint64(delta>>63)
	if from.None || zigzag >= 1<<55 {
		return uint64(time), absoluteTime
	}
	value = zigzag<<1 | unit
	return value, (bits.Len64(value|1) + 7) >> 3
}

// Get decodes the header at the front of b and returns its size, or 0 if b ends
// before it does or it makes no sense.
func (h *Header) Get(b []byte, from Base) int {
	if len(b) < minHeader {
		return 0
	}
	flags := b[0]
	h.Direction = packet.Direction(flags & flagDirection)
	h.Length = int(binary.LittleEndian.Uint16(b[1:]))
	n := 3
	if h.Length == longData {
		if len(b) < 7 {
			return 0
		}
		long := binary.LittleEndian.Uint32(b[3:])
		if long > packet.MaxLen {
			return 0
		}
		h.Length = int(long)
		n = 7
	}
	size := int(flags&flagTimeSize)>>timeSizeShift + 1
	var value uint64
	switch {
	case len(b) >= n+8:
		value = binary.LittleEndian.Uint64(b[n:])
		if size < 8 {
			value &= 1<<(8*size) - 1
		}
	case len(b) >= n+size:
		for i := size - 1; i >= 0; i-- {
			value = value<<8 | uint64(b[n+i])
		}
	default:
		return 0
	}
	n += size
	if size == absoluteTime {
		h.Time = int64(value)
	} else {
		h.Time = from.Time + delta(value)
	}
	h.Interface = from.Interface
	h.Tie = 0
	h.Wire = uint32(h.Length)
	if flags&flagInterface != 0 {
		if len(b) < n+2 {
			return 0
		}
		h.Interface = packet.InterfaceID(binary.LittleEndian.Uint16(b[n:]))
		n += 2
	}
	if flags&flagTie != 0 {
		if len(b) < n+2 {
			return 0
		}
		h.Tie = binary.LittleEndian.Uint16(b[n:])
		n += 2
	}
	if flags&flagWire != 0 {
		if len(b) < n+4 {
			return 0
		}
		h.Wire = max(h.Wire, binary.LittleEndian.Uint32(b[n:]))
		n += 4
	}
	return n
}

// Following decodes the header of the record behind h at the front of b, which
// has FollowingRoom bytes at least, and returns its size, or 0 if it makes no
// sense.
func (h *Header) Following(b []byte) int {
	head := binary.LittleEndian.Uint32(b)
	flags, length := head&0xff, head>>8&0xffff
	const rare = flagWire | flagInterface | flagTie
	size := int(flags&flagTimeSize)>>timeSizeShift + 1
	if flags&rare != 0 || length == longData || size == absoluteTime {
		return h.Get(b, Base{Time: h.Time, Interface: h.Interface})
	}
	value := binary.LittleEndian.Uint64(b[3:]) & (1<<(8*size) - 1)
	h.Length, h.Wire, h.Tie, h.Direction = int(length), length, 0, packet.Direction(flags&flagDirection)
	h.Time += delta(value)
	return 3 + size
}

// delta decodes the difference of a time to the one before.
func delta(value uint64) int64 {
	zigzag := value >> 1
	d := int64(zigzag>>1) ^ -int64(zigzag&1)
	if value&1 != 0 {
		d *= 1000
	}
	return d
}
