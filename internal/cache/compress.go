package cache

import (
	"encoding/binary"
	"hash/maphash"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// Sealed segments are compressed behind the capture's back, where they stand:
// the frame takes the place of the records in the same pages, and the pages
// that are left over are given back. The log in which they stay longest comes
// first, and within a log the oldest.

const (
	// least is what compression has to gain, in percent.
	least = 10
	// A class of which poorRuns segments in a row gained less is left alone for
	// the next poorSkip segments: its traffic is likely encrypted.
	poorRuns = 4
	poorSkip = 16
	// lowClasses are those whose segments stay longest and are least of the
	// traffic.
	lowClasses = 3
)

// A compressor indexes and compresses one segment at a time.
type compressor struct {
	mu      sync.Mutex // before Cache.mu
	encoder *zstd.Encoder
	raw     []byte // the records of a segment
	packed  []byte // tallies and frame
	shares  map[packet.InterfaceID]interfaceTally
	bloom   [maxBloom]byte // the index of a segment
	seed    maphash.Seed   // of the addresses in all indexes

	work chan struct{}
	stop chan struct{}
	done chan struct{}
}

// An interfaceTally is how much of a segment is one interface's.
type interfaceTally struct{ packets, bytes uint32 }

// newCompressor makes one that compresses at the level at which low classes
// were seen to shrink by 5 % more than at the fastest, in little memory. The
// frames carry a checksum.
func newCompressor() (*compressor, error) {
	encoder, err := newEncoder()
	if err != nil {
		return nil, err
	}
	return &compressor{
		encoder: encoder,
		raw:     make([]byte, maxSegment),
		packed:  make([]byte, 0, maxSegment),
		shares:  map[packet.InterfaceID]interfaceTally{},
		seed:    maphash.MakeSeed(),
		work:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}, nil
}

func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithWindowSize(maxSegment), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
}

// candidate returns the log whose oldest uncompressed segment is to be compressed
// next, or nil. The records of the probation log are still to be stamped.
func (c *Cache) candidate() *log {
	return c.longest(func(l *log) bool { return l != &c.logs[probation] && c.pass(l) })
}

// longest returns the log in which segments stay longest of those that have some
// work to be done, or nil.
func (c *Cache) longest(has func(*log) bool) (next *log) {
	for i := range c.logs {
		if l := &c.logs[i]; (next == nil || l.weight < next.weight) && has(l) {
			next = l
		}
	}
	return next
}

// pass has a log pass over the segments that are not to be compressed, and
// reports whether there is one that is.
func (c *Cache) pass(l *log) bool {
	for l.raw != noSegment {
		seg := &c.segments.slots[l.raw]
		if seg == l.head {
			return false
		}
		if seg.codec == record.Raw && seg.size <= maxSegment {
			if l.skip == 0 {
				return true
			}
			l.skip--
		}
		l.raw = seg.next
	}
	return false
}

// compressible reports whether there is a segment to be indexed or compressed, and
// whether it is of a low class; to index one is as urgent.
func (c *Cache) compressible() (low, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false, false
	}
	l := c.candidate()
	if l != nil && l.low || c.unindexed() != nil || c.unlooked() != nil {
		return true, true
	}
	return false, l != nil
}

// lowIsNext reports whether the next segment to be compressed is of a low class.
func (c *Cache) lowIsNext() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.candidate()
	return !c.closed && l != nil && l.low
}

// compressNext compresses one segment and reports whether there was any.
func (c *Cache) compressNext() (found bool) {
	z := c.compressor
	z.mu.Lock()
	defer z.mu.Unlock()
	c.mu.Lock()
	l := c.candidate()
	if c.closed || l == nil {
		c.mu.Unlock()
		return false
	}
	slot, logs := l.raw, c.logs
	seg := &c.segments.slots[slot]
	l.raw = seg.next
	seq, many, links := seg.seq, seg.shares.many, c.linksOf(seg)
	raw := z.raw[:c.copyOut(seg, 0, z.raw[:seg.size])]
	var index bloom
	if seg.index > 0 {
		index = z.bloom[:copy(z.bloom[:], c.indexOf(seg))]
	}
	unindexed := seg.index == 0 && c.bytes >= minIndexed
	c.mu.Unlock()

	if unindexed {
		index = z.index(raw, false, links)
	}
	packed := z.packed[:0]
	if many {
		packed = z.tally(raw, packed)
	}
	tallies := len(packed) / record.TallySize
	packed = z.encoder.EncodeAll(raw, packed)
	z.packed = packed[:0]

	c.mu.Lock()
	defer c.mu.Unlock()
	if l, seg = c.still(slot, seq, l, logs); seg == nil {
		return true
	}
	if len(packed) <= len(raw)-len(raw)*least/100 {
		l.poor = 0
		c.replace(l, seg, packed, tallies)
	} else if l.poor++; l.poor >= poorRuns {
		l.skip = poorSkip
	}
	if seg.index == 0 {
		c.attach(l, slot, index)
	}
	return true
}

// tally counts records by interface. What is evicted can then be booked
// although its records cannot be read.
func (z *compressor) tally(raw, dst []byte) []byte {
	clear(z.shares)
	record.Each(raw, false, func(_ int, h *record.Header, _ []byte) bool {
		t := z.shares[h.Interface]
		t.packets++
		t.bytes += uint32(h.Length)
		z.shares[h.Interface] = t
		return true
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
	seg.codec, seg.packed, seg.tallies = record.Zstd, uint32(len(packed)), uint16(tallies)
	seg.index = 0 // it stood in the last page
}

// eachTally calls do with what each interface has in a compressed segment.
func (c *Cache) eachTally(seg *segment, do func(id packet.InterfaceID, packets, bytes uint64)) {
	at := place{page: seg.first}
	var b [record.TallySize]byte
	for range seg.tallies {
		c.pages.read(at, b[:])
		at = c.pages.forward(at, record.TallySize)
		id := packet.InterfaceID(binary.LittleEndian.Uint16(b[:]))
		do(id, uint64(binary.LittleEndian.Uint16(b[2:])), uint64(binary.LittleEndian.Uint32(b[4:])))
	}
}
