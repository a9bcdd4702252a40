package cache

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
//	tie        2 bytes, only if the time is that of the packet before
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

	minHeader = 4
	maxHeader = 1 + 2 + 4 + 8 + 2 + 2 + 4 + 1
	longData  = 0xffff

	// absoluteTime is the size that says so.
	absoluteTime = 8
	// stampSize is what follows the header in the probation log.
	stampSize = 4
)

// A header is the decoded form.
type header struct {
	time      int64
	length    int
	wire      uint32
	iface     packet.InterfaceID
	tie       uint16
	direction packet.Direction
}

// fill makes p the packet of a header and its data.
func (h *header) fill(p *packet.Packet, data []byte) {
	p.Time, p.Data, p.OrigLen, p.Interface, p.Direction = h.time, data, h.wire, h.iface, h.direction
}

// base is what a header is told relative to: the record before it.
type base struct {
	time  int64
	iface packet.InterfaceID
	// none: there is no record before it, or it must be readable without.
	none bool
}

// headerRoom is what putHeader may write to: the longest header, a stamp, and
// what its wide stores spill.
const headerRoom = maxHeader + stampSize + 8

// putHeader encodes the header of a packet at the front of b, which has
// headerRoom bytes at least, and returns its size. With stamp, a stamp of
// zero follows.
func putHeader(b []byte, p *packet.Packet, tie uint16, from base, stamp bool) int {
	_ = b[headerRoom-1]
	length := len(p.Data)
	value, size := putTime(p.Time, from)
	flags := uint32(p.Direction)&flagDirection | uint32(size-1)<<timeSizeShift
	if p.Interface == from.iface && tie == 0 && length < longData && p.OrigLen <= uint32(length) && !from.none && !stamp {
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
	if p.Interface != from.iface || from.none {
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
		n += stampSize
	}
	return n
}

// putTime encodes a time in size bytes.
func putTime(time int64, from base) (value uint64, size int) {
	delta := time - from.time
	unit := uint64(0)
	if us := delta / 1000; us*1000 == delta {
		delta, unit = us, 1
	}
	zigzag := uint64(delta<<1) ^ uint64(delta>>63)
	if from.none || zigzag >= 1<<55 {
		return uint64(time), absoluteTime
	}
	value = zigzag<<1 | unit
	return value, (bits.Len64(value|1) + 7) >> 3
}

// get decodes the header at the front of b and returns its size, or 0 if b
// ends before it does or it makes no sense.
func (h *header) get(b []byte, from base) int {
	if len(b) < minHeader {
		return 0
	}
	flags := b[0]
	h.direction = packet.Direction(flags & flagDirection)
	h.length = int(binary.LittleEndian.Uint16(b[1:]))
	n := 3
	if h.length == longData {
		if len(b) < 7 {
			return 0
		}
		long := binary.LittleEndian.Uint32(b[3:])
		if long > packet.MaxLen {
			return 0
		}
		h.length = int(long)
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
		h.time = int64(value)
	} else {
		h.time = from.time + delta(value)
	}
	h.iface = from.iface
	h.tie = 0
	h.wire = uint32(h.length)
	if flags&flagInterface != 0 {
		if len(b) < n+2 {
			return 0
		}
		h.iface = packet.InterfaceID(binary.LittleEndian.Uint16(b[n:]))
		n += 2
	}
	if flags&flagTie != 0 {
		if len(b) < n+2 {
			return 0
		}
		h.tie = binary.LittleEndian.Uint16(b[n:])
		n += 2
	}
	if flags&flagWire != 0 {
		if len(b) < n+4 {
			return 0
		}
		h.wire = binary.LittleEndian.Uint32(b[n:])
		n += 4
	}
	return n
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

// orderOf numbers packets with equal timestamps, so that a dump shows them in
// the order in which they came.
type orderOf struct {
	time int64
	tie  uint16
}

func (o *orderOf) next(time int64) uint16 {
	if time != o.time {
		o.time, o.tie = time, 0
	} else if o.tie < 1<<16-1 {
		o.tie++
	}
	return o.tie
}
