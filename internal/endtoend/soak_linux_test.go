//go:build soak

package endtoend

import (
	"testing"
	"time"

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

// With a file of 4 GiB the service captures within 200 ms on an idle machine, and
// drops nothing at 100,000 packets a second until all of it is back.
func TestSoakRestoreBehindCapture(t *testing.T) {
	const budget = 6 << 30
	if ram, err := config.TotalRAM(); err != nil || ram < 2*budget {
		t.Skipf("the machine has %d bytes of memory, %v", ram, err)
	}
	restoreBehind(t, budget, 100_000, time.Second)
}
