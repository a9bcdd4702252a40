package cache

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/record"
)

// unpackedSegments bounds how many segments all readers together have unpacked.
// One reader is at about one of each class at a time.
const unpackedSegments = 12

// A decompressor keeps the segments that readers are at, unpacked, as long as
// there are readers.
type decompressor struct {
	mu      sync.Mutex // before Cache.mu
	readers int
	decoder *zstd.Decoder
	packed  []byte
	held    [unpackedSegments]unpacked
	uses    uint64
}

// An unpacked is what a segment held.
type unpacked struct {
	seq  uint64
	used uint64 // the greatest was used last
	raw  []byte
}

func newDecompressor() (*decompressor, error) {
	// Whatever the pages hold, it cannot take more memory than a segment.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxSegment), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	return &decompressor{decoder: decoder}, nil
}

// begin says that a reader is there.
func (d *decompressor) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readers++
}

// end says that a reader has gone. With the last one goes the memory.
func (d *decompressor) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.readers--; d.readers == 0 {
		for i := range d.held {
			clear(d.held[i].raw)
		}
		clear(d.packed)
		d.held, d.packed = [unpackedSegments]unpacked{}, nil
	}
}

// unpack calls use with the records of a compressed segment. It reports false
// if that has gone, or is damaged: then it is gone for all.
func (d *decompressor) unpack(c *Cache, slot uint32, seq uint64, use func(raw []byte)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.uses++
	oldest := &d.held[0]
	for i := range d.held {
		h := &d.held[i]
		if h.seq == seq {
			h.used = d.uses
			use(h.raw)
			return true
		}
		if h.used < oldest.used {
			oldest = h
		}
	}
	size, most, ok := d.fetch(c, slot, seq)
	if !ok {
		return false
	}
	if cap(oldest.raw) < size {
		oldest.raw = make([]byte, 0, max(size, most))
	}
	oldest.seq = 0
	raw, err := d.decoder.DecodeAll(d.packed, oldest.raw[:0])
	if err == nil && len(raw) != size {
		err = fmt.Errorf("%d bytes instead of %d", len(raw), size)
	}
	if err != nil {
		c.damage(slot, seq, err)
		return false
	}
	oldest.seq, oldest.used, oldest.raw = seq, d.uses, raw
	use(raw)
	return true
}

// fetch copies the frame of a segment out and returns the size of what is in it,
// and the most that others are likely to hold.
func (d *decompressor) fetch(c *Cache, slot uint32, seq uint64) (size, most int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seg := c.segments.lookUp(slot)
	if c.closed || seg == nil || seg.seq != seq || seg.codec != codecZstd {
		return 0, 0, false
	}
	if d.packed == nil {
		d.packed = make([]byte, 0, maxSegment)
	}
	skip := int(seg.tallies) * record.TallySize
	d.packed = d.packed[:int(seg.packed)-skip]
	c.pages.read(c.pages.forward(place{page: seg.first}, skip), d.packed)
	return int(seg.size), c.segments.size, true
}

// damage takes a segment for lost that cannot be unpacked.
func (c *Cache) damage(slot uint32, seq uint64, err error) {
	c.mu.Lock()
	seg := c.segments.lookUp(slot)
	found := !c.closed && seg != nil && seg.seq == seq && seg.codec == codecZstd
	var lost Count
	if found {
		seg.codec = codecDamaged
		lost = seg.held()
		c.stats.damaged.add(lost.Packets, lost.Bytes)
		l := c.logOf(slot)
		l.lose(seg.newest)
		if l == &c.logs[unanswered] {
			c.loseLate(unanswered, seg.newest)
		}
	}
	c.mu.Unlock()
	if found && c.damaged != nil {
		c.damaged(fmt.Errorf("a compressed segment of %d packets: %w", lost.Packets, err))
	}
}

// logOf finds the log that a segment stands in.
func (c *Cache) logOf(slot uint32) *log {
	for i := range c.logs {
		for at := c.logs[i].oldest; at != noSegment; at = c.segments.slots[at].next {
			if at == slot {
				return &c.logs[i]
			}
		}
	}
	return nil
}
