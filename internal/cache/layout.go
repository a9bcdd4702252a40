package cache

import (
	"unsafe"

	"github.com/packetcache/packetcache/internal/mem"
)

// A layout says how a budget is divided: 1/32 for live sessions, 1/128 for
// summaries of ended ones, a share for the heap, then the descriptors of segments
// and the links of pages, and all else for pages.
type layout struct {
	live, ended int // bytes
	segments    int // descriptors
	segmentSize int // bytes at which a segment is sealed
	pages       int
}

const (
	segmentBytes = int(unsafe.Sizeof(segment{}))
	linkBytes    = int(unsafe.Sizeof(uint32(0)))
)

// layOut divides a budget in bytes, with at least so many descriptors.
func layOut(budget, segments int) layout {
	l := layout{live: wholeLines(budget / 32), ended: wholeLines(budget / 128)}
	// Small segments are forgotten in small steps; large ones shrink more and
	// waste less of their last page when they are compressed. Between 1/256 and
	// 1/80 of 10 MiB the latter came to 4 points of the sessions' first 4 KiB.
	size := min(max(budget/80, minSegment), maxSegment)
	l.segmentSize = size - size%pageSize
	// Six times as many descriptors as full segments fit, since segments
	// shrink when they are compressed and some are cut short.
	l.segments = max(min(6*budget/size+4*tierLogs, maxSegments), segments)
	rest := budget - heapShare(budget) - mem.Space(l.live) - mem.Space(l.ended) - mem.Space(l.segments*segmentBytes)
	l.pages = max(0, (rest-mem.Space(1))/(pageSize+linkBytes))
	return l
}

// heapShare is left to Go's heap: the buffers of compression and of readers, as
// far as the budget allows, and what readers remember of each segment.
func heapShare(budget int) int {
	return min(max(budget-8<<20, 0)/16, 2<<20) + min(budget/128, 14<<20)
}

// wholeLines rounds down to cache lines.
func wholeLines(n int) int { return n &^ 63 }

// A store is the memory of a cache. Each part begins at one place for as long
// as the cache lives.
type store struct {
	region                                    *mem.Region
	live, ended, descriptors, links, contents *mem.Part
}

// newStore reserves address space for a cache of at most so many bytes.
func newStore(most int) (*store, error) {
	descriptors := layOut(most, 0).segments * segmentBytes
	links := most / pageSize * linkBytes
	region, err := mem.Reserve(mem.Space(most/32) + mem.Space(most/128) + mem.Space(descriptors) + mem.Space(links) + mem.Space(most))
	if err != nil {
		return nil, err
	}
	return &store{
		region:      region,
		live:        region.Part(most / 32),
		ended:       region.Part(most / 128),
		descriptors: region.Part(descriptors),
		links:       region.Part(links),
		contents:    region.Part(most),
	}, nil
}

// parts are in the order in which they are populated: the session table, which
// is used all over from the start, comes first, the pages come last.
func (s *store) parts() []*mem.Part {
	return []*mem.Part{s.live, s.ended, s.descriptors, s.links, s.contents}
}

// resize takes or gives back memory as a layout says. If there is not enough,
// it stays as it was.
func (s *store) resize(l layout) error {
	sizes := map[*mem.Part]int{
		s.live: l.live, s.ended: l.ended, s.descriptors: l.segments * segmentBytes,
		s.links: l.pages * linkBytes, s.contents: l.pages * pageSize,
	}
	before := map[*mem.Part]int{}
	for _, part := range s.parts() {
		size := len(part.Bytes())
		if err := part.Resize(sizes[part]); err != nil {
			for part, size := range before {
				_ = part.Resize(size) // it had that before
			}
			return err
		}
		before[part] = size
	}
	return nil
}
