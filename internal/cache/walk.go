package cache

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/record"
)

// copyOut copies what stands in a segment from offset on to dst and returns
// how much that was. Records can be read of raw segments only.
func (c *Cache) copyOut(seg *segment, offset uint32, dst []byte) int {
	if offset >= seg.size || seg.codec != record.Raw {
		return 0
	}
	dst = dst[:min(len(dst), int(seg.size-offset))]
	if len(dst) == 0 {
		return 0
	}
	return c.pages.read(c.pages.forward(place{page: seg.first}, int(offset)), dst)
}

// A walk goes through the headers of a raw segment.
type walk struct {
	c       *Cache
	seg     *segment
	started bool
	at      place // of the next record
	behind  place // behind the header: of the stamp, where there is one, or the data
	offset  uint32
	header  record.Header
	stamp   uint32
}

// next goes to the next record and reports whether there is one.
func (w *walk) next() bool {
	if w.offset >= w.seg.size {
		return false
	}
	var b [record.MaxHeader + record.StampSize]byte
	from := record.Base{Time: w.header.Time, Interface: w.header.Interface, None: !w.started || w.seg.stamped}
	if !w.started {
		w.at, w.started = place{page: w.seg.first}, true
	}
	n := w.c.pages.read(w.at, b[:min(len(b), int(w.seg.size-w.offset))])
	size := w.header.Get(b[:n], from)
	if size == 0 {
		return false
	}
	w.stamp, w.behind = 0, w.c.pages.forward(w.at, size)
	if w.seg.stamped {
		w.stamp = binary.LittleEndian.Uint32(b[size:])
		size += record.StampSize
	}
	size += w.header.Length
	w.offset += uint32(size)
	if w.offset < w.seg.size {
		w.at = w.c.pages.forward(w.at, size)
	}
	return true
}
