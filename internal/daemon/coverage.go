package daemon

import (
	"slices"
	"sync"

	"github.com/packetcache/packetcache/internal/control"
)

// maxCoverage bounds the coverage log of this run, and that of earlier ones; a
// flapping interface pushes out the oldest entries.
const maxCoverage = 500

// coverage tells when and where the service was looking, so that "nothing
// seen" can be told from "not looking".
type coverage struct {
	mu      sync.Mutex
	entries []control.CoverageEntry
	// earlier are those of earlier runs, which came back with their packets.
	earlier []control.CoverageEntry
}

func (c *coverage) add(e control.CoverageEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) == maxCoverage {
		// The first entry is the start of the service and stays.
		copy(c.entries[1:], c.entries[2:])
		c.entries = c.entries[:maxCoverage-1]
	}
	c.entries = append(c.entries, e)
}

// restore puts the entries of earlier runs before those of this one.
func (c *coverage) restore(earlier []control.CoverageEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.earlier = slices.Clone(newest(earlier))
}

// all are the entries, oldest first.
func (c *coverage) all() []control.CoverageEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.earlier, c.entries)
}

// newest are the entries that are kept of an earlier run.
func newest(entries []control.CoverageEntry) []control.CoverageEntry {
	return entries[max(0, len(entries)-maxCoverage):]
}
