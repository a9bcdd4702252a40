package cache

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// The first packet of a session waits in the probation log, and moves to class 0
// with the session's second packet, or to the unanswered log when others need
// its place. Records here are readable without the one before, and carry a
// stamp: 0, or the epoch in which the packet left. A reader that began earlier,
// which will not see the copy in the other log, still takes it here.

// A position names a record of the probation log in 48 bits: the slot of its
// segment, the low bits of the segment's seq, and the offset in it.
const (
	slotBits   = 20
	seqBits    = 10
	offsetBits = 18
)

// newestPosition is that of the record that was put there last.
func (c *Cache) newestPosition() uint64 {
	slot := c.logs[probation].youngest
	seg := &c.segments.slots[slot]
	return uint64(slot)<<(seqBits+offsetBits) | seg.seq&(1<<seqBits-1)<<offsetBits | uint64(seg.lastAt)&(1<<offsetBits-1)
}

// resume moves the packets of a session that waited to class 0, whose log is
// given.
func (c *Cache) resume(hash uint64, class0 int, now uint32) {
	p := c.table.Pending()
	there := c.promote(p.Positions[0], hash, class0)
	if p.Positions[1] != session.NoPosition {
		there = c.promote(p.Positions[1], hash, class0) && there
	}
	if !there || p.More {
		c.answeredLate(&c.logs[class0], p.First, p.Last, now)
	}
}

// promote moves a session's first packet from the probation log to class 0,
// whose log is given. It reports false if the packet is not there: it has been evicted meanwhile.
func (c *Cache) promote(position, hash uint64, class0 int) bool {
	slot := position >> (seqBits + offsetBits)
	offset := uint32(position & (1<<offsetBits - 1))
	if slot >= uint64(c.segments.touched) {
		return false
	}
	seg := &c.segments.slots[slot]
	if seg.seq == 0 || seg.seq&(1<<seqBits-1) != position>>offsetBits&(1<<seqBits-1) || offset >= seg.size || !seg.stamped || seg.seq <= c.wiped {
		return false
	}
	var raw [record.MaxHeader + record.StampSize]byte
	n := c.copyOut(seg, offset, raw[:])
	var h record.Header
	size := h.Get(raw[:n], record.Base{None: true})
	if size == 0 || size+record.StampSize > n || h.Length > jumbo || binary.LittleEndian.Uint32(raw[size:]) != 0 {
		return false
	}
	data := c.pipeline.moved[:h.Length]
	if c.copyOut(seg, offset+uint32(size+record.StampSize), data) < h.Length {
		return false
	}
	// The slot may hold another segment with the same low bits: see that it
	// is this session's packet.
	var f session.Flow
	if int(h.Interface) >= len(c.interfaces) {
		return false
	}
	c.decoder.Decode(c.interfaces[h.Interface].LinkType, data, &f)
	if f.Hash != hash {
		return false
	}
	c.leave(seg, c.pages.forward(place{page: seg.first}, int(offset)+size), &h)
	p := packet.Packet{Time: h.Time, Data: data, OrigLen: h.Wire, Interface: h.Interface, Direction: h.Direction}
	c.put(class0, &p, h.Tie|record.Moved, seg.newest)
	return true
}

// leave stamps the record whose stamp stands there as gone and takes it out of
// the books.
func (c *Cache) leave(seg *segment, at place, h *record.Header) {
	var stamp [record.StampSize]byte
	binary.LittleEndian.PutUint32(stamp[:], c.epoch)
	n := copy(c.pages.bytes(at.page)[at.at:], stamp[:])
	if n < len(stamp) {
		copy(c.pages.bytes(c.pages.next[at.page]), stamp[n:])
	}
	seg.left++
	seg.bytes -= uint64(h.Length)
	seg.shares.remove(h.Interface, h.Length)
}
