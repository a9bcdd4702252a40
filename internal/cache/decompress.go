package cache

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
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
	decoder, err := newDecoder()
	if err != nil {
		return nil, err
	}
	return &decompressor{decoder: decoder}, nil
}

func newDecoder() (*zstd.Decoder, error) {
	// Whatever the pages hold, it cannot take more memory than a segment.
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxSegment), zstd.WithDecodeAllCapLimit(true))
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
	if d.packed == nil {
		d.packed = make([]byte, maxSegment)
	}
	f, ok := c.fetch(slot, seq, d.packed)
	if !ok {
		return false
	}
	if cap(oldest.raw) < f.size {
		oldest.raw = make([]byte, 0, max(f.size, f.most))
	}
	oldest.seq = 0
	if oldest.raw, ok = d.decode(c, &f, oldest.raw); !ok {
		return false
	}
	oldest.seq, oldest.used = seq, d.uses
	use(oldest.raw)
	return true
}

// decode puts the records of what was fetched into dst, which has room for them.
// It reports false if they are damaged: then they are gone for all.
func (d *decompressor) decode(c *Cache, f *fetched, dst []byte) ([]byte, bool) {
	raw, err := d.decoder.DecodeAll(f.frame, dst[:0])
	if err == nil {
		err = f.check(raw)
	}
	if err != nil {
		c.damage(f.slot, f.seq, err)
		return dst[:0], false
	}
	return raw, true
}

// A fetched is the frame of a segment, copied out, and what is to be in it.
type fetched struct {
	slot  uint32
	seq   uint64
	frame []byte
	// size is that of the records, most what other segments are likely to have.
	size, most int
	// restored says that it was and has not been looked at: saved is what it is to be,
	// known tells the numbers in its table.
	restored bool
	saved    record.Segment
	known    func(packet.InterfaceID) bool
}

// check returns in what the records are not what they are to be.
func (f *fetched) check(raw []byte) error {
	if len(raw) != f.size {
		return fmt.Errorf("%d bytes instead of %d", len(raw), f.size)
	}
	if !f.restored {
		return nil
	}
	return f.saved.CheckRecords(raw, f.known)
}

// fetch copies the frame of a segment to dst, of maxSegment bytes.
func (c *Cache) fetch(slot uint32, seq uint64, dst []byte) (f fetched, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seg := c.segments.lookUp(slot)
	if c.closed || seg == nil || seg.seq != seq || seg.codec != record.Zstd {
		return f, false
	}
	f = fetched{slot: slot, seq: seq, size: int(seg.size), most: c.segments.size}
	if f.restored = seg.restored; f.restored {
		seg.describe(&f.saved)
		f.known = c.known(seg)
	}
	skip := int(seg.tallies) * record.TallySize
	f.frame = dst[:int(seg.packed)-skip]
	c.pages.read(c.pages.forward(place{page: seg.first}, skip), f.frame)
	return f, true
}

// damage takes a segment for lost that cannot be unpacked.
func (c *Cache) damage(slot uint32, seq uint64, err error) {
	c.mu.Lock()
	seg := c.segments.lookUp(slot)
	found := !c.closed && seg != nil && seg.seq == seq && seg.codec == record.Zstd
	var lost Count
	if found {
		seg.codec = damaged
		lost = seg.held()
		c.stats.damaged.add(lost.Packets, lost.Bytes)
		c.lose(c.logOf(slot), seg.newest)
	}
	c.mu.Unlock()
	if found && c.damaged != nil {
		c.damaged(fmt.Errorf("a compressed segment of %d packets: %w", lost.Packets, err))
	}
}

// logOf finds the log that a segment stands in.
func (c *Cache) logOf(slot uint32) (class int) {
	for class = range c.logs {
		for at := c.logs[class].oldest; at != noSegment; at = c.segments.slots[at].next {
			if at == slot {
				return class
			}
		}
	}
	panic("a segment in use stands in no log")
}
