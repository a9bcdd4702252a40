//go:build soak

package endtoend

import (
	"testing"

	"github.com/packetcache/packetcache/internal/config"
)

// TestMemory with 4 GiB.
func TestSoakMemory(t *testing.T) {
	const budget = 4 << 30
	if ram, err := config.TotalRAM(); err != nil || ram < 2*budget {
		t.Skipf("4 GiB may be half of the machine's memory at most; it has %d bytes, %v", ram, err)
	}
	staysWithin(t, budget, bulkPipe(t, budget*5/4, 100_000))
}

// TestKilled with ten times as many kills.
func TestSoakKilled(t *testing.T) { killed(t, 10*kills) }
