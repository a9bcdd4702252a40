package daemon

import (
	"sync"

	"github.com/packetcache/packetcache/internal/control"
)

// maxCoverage bounds the coverage log; a flapping interface pushes out the
// oldest entries.
const maxCoverage = 500

// coverage tells when and where the service was looking, so that "nothing
// seen" can be told from "not looking".
type coverage struct {
	mu      sync.Mutex
	entries []control.CoverageEntry
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

func (c *coverage) all() []control.CoverageEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]control.CoverageEntry(nil), c.entries...)
}
