package cache

import (
	"encoding/binary"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
)

// Sealed segments are compressed behind the capture's back, where they stand:
// the frame takes the place of the records in the same pages, and the pages
// that are left over are given back. The lowest class comes first, since what
// is in it stays longest, and within a class the oldest.

const (
	// least is what compression has to gain, in percent.
	least = 10
	// A class of which poorRuns segments in a row gained less is left alone for
	// the next poorSkip segments: its traffic is likely encrypted.
	poorRuns = 4
	poorSkip = 16
	// lowClasses are those that live longest.
	lowClasses = 3
	// tallySize is what a tally takes: interface, packets, captured bytes.
	tallySize = 8
)

// A compressor compresses one segment at a time.
type compressor struct {
	mu      sync.Mutex // before Cache.mu
	encoder *zstd.Encoder
	raw     []byte // the records of a segment
	packed  []byte // tallies and frame
	shares  map[packet.InterfaceID]interfaceTally

	work chan struct{}
	stop chan struct{}
	done chan struct{}
}

// An interfaceTally is how much of a segment is one interface's.
type interfaceTally struct{ packets, bytes uint32 }

func isLow(class int) bool { return class < lowClasses }

// newCompressor makes one that compresses at the level at which low classes
// were seen to shrink by 5 % more than at the fastest, in little memory. The
// frames carry a checksum.
func newCompressor() (*compressor, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithWindowSize(maxSegment), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	return &compressor{
		encoder: encoder,
		raw:     make([]byte, maxSegment),
		packed:  make([]byte, 0, maxSegment),
		shares:  map[packet.InterfaceID]interfaceTally{},
		work:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}, nil
}

// candidate returns the segment to be compressed next and its class.
func (c *Cache) candidate() (class int, seg *segment) {
	for class := range c.logs {
		l := &c.logs[class]
		if class == probation {
			continue // its records are still to be stamped
		}
		for l.raw != noSegment {
			seg := &c.segments.slots[l.raw]
			if seg == l.head {
				break
			}
			if l.skip == 0 && seg.size <= maxSegment {
				return class, seg
			}
			l.skip = max(0, l.skip-1)
			l.raw = seg.next
		}
	}
	return 0, nil
}

// compressible returns the class of the segment to be compressed next, if there
// is any.
func (c *Cache) compressible() (class int, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, false
	}
	class, seg := c.candidate()
	return class, seg != nil
}

// compressNext compresses one segment and reports whether there was any.
func (c *Cache) compressNext() (found bool) {
	z := c.compressor
	z.mu.Lock()
	defer z.mu.Unlock()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	class, seg := c.candidate()
	if seg == nil {
		c.mu.Unlock()
		return false
	}
	c.logs[class].raw = seg.next
	seq, many := seg.seq, seg.shares.many
	raw := z.raw[:c.copyOut(seg, 0, z.raw[:seg.size])]
	c.mu.Unlock()

	packed := z.packed[:0]
	if many {
		packed = z.tally(raw, packed)
	}
	tallies := len(packed) / tallySize
	packed = z.encoder.EncodeAll(raw, packed)
	z.packed = packed[:0]

	c.mu.Lock()
	defer c.mu.Unlock()
	l := &c.logs[class]
	gained := len(packed) <= len(raw)-len(raw)*least/100
	if gained {
		l.poor = 0
	} else if l.poor++; l.poor >= poorRuns {
		l.skip = poorSkip
	}
	if gained && !c.closed && seg.seq == seq {
		c.replace(l, seg, packed, tallies)
	}
	return true
}

// tally counts records by interface. What is evicted can then be booked
// although its records cannot be read.
func (z *compressor) tally(raw, dst []byte) []byte {
	clear(z.shares)
	forEachRecord(raw, func(_ uint32, h *header) {
		t := z.shares[h.iface]
		t.packets++
		t.bytes += uint32(h.length)
		z.shares[h.iface] = t
	})
	for id, t := range z.shares {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(id))
		dst = binary.LittleEndian.AppendUint16(dst, uint16(t.packets))
		dst = binary.LittleEndian.AppendUint32(dst, t.bytes)
	}
	return dst
}

// replace puts packed in place of the records of a segment.
func (c *Cache) replace(l *log, seg *segment, packed []byte, tallies int) {
	needed := uint32(len(packed)+pageSize-1) >> pageBits
	if needed >= seg.pages {
		return
	}
	page, last := seg.first, noPage
	for rest := packed; len(rest) > 0; page = c.pages.next[page] {
		rest = rest[copy(c.pages.bytes(page), rest):]
		last = page
	}
	free := int(seg.pages - needed)
	c.pages.next[last] = noPage
	c.pages.give(page, seg.last, free)
	seg.last, seg.pages = last, needed
	l.pages -= free
	seg.codec, seg.packed, seg.tallies = codecZstd, uint32(len(packed)), uint16(tallies)
}

// bookTallies tells the interfaces what goes with a compressed segment.
func (c *Cache) bookTallies(seg *segment) {
	at := place{page: seg.first}
	var b [tallySize]byte
	for range seg.tallies {
		c.pages.read(at, b[:])
		at = c.pages.forward(at, tallySize)
		id := binary.LittleEndian.Uint16(b[:])
		c.interfaces[id].stats.Evicted.add(uint64(binary.LittleEndian.Uint16(b[2:])), uint64(binary.LittleEndian.Uint32(b[4:])))
	}
}

// forEachRecord goes through the records of a whole segment.
func forEachRecord(raw []byte, do func(offset uint32, h *header)) {
	var h header
	for at := 0; at < len(raw); {
		size := h.get(raw[at:], base{time: h.time, iface: h.iface, none: at == 0})
		if size == 0 || h.length > len(raw)-at-size {
			return
		}
		do(uint32(at), &h)
		at += size + h.length
	}
}
