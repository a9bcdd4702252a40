package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/control"
)

const (
	// clockEvery is the time between two looks at the clocks.
	clockEvery = 10 * time.Second
	// clockStep is how far two clocks may part between two looks before it is
	// told.
	clockStep = 2 * time.Second
)

// clocks are readings of the wall clock, of the time since boot with sleep,
// and of that without.
type clocks struct{ wall, boot, awake time.Duration }

func readClocks(start time.Time) clocks {
	now := time.Now()
	return clocks{
		wall:  time.Duration(now.UnixNano()),
		boot:  time.Duration(cache.BootTime()),
		awake: now.Sub(start), // Go's monotonic clock stands still in sleep
	}
}

// watchClock puts sleep and steps of the wall clock into the coverage log.
func (d *Daemon) watchClock(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	before := readClocks(d.started)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := readClocks(d.started)
		for _, e := range clockEntries(before, now) {
			e.Time = time.Now()
			d.log.WithField("kind", e.Kind).Info(e.Text)
			d.coverage.add(e)
		}
		before = now
	}
}

// clockEntries tells what happened between two readings.
func clockEntries(before, now clocks) []control.CoverageEntry {
	var entries []control.CoverageEntry
	boot := now.boot - before.boot
	if slept := boot - (now.awake - before.awake); slept > clockStep {
		entries = append(entries, control.CoverageEntry{Kind: "sleep", Text: fmt.Sprintf("the machine slept for %v", slept.Round(time.Second))})
	}
	switch step := now.wall - before.wall - boot; {
	case step > clockStep:
		entries = append(entries, control.CoverageEntry{Kind: "clock", Text: fmt.Sprintf("the clock was set forward by %v", step.Round(time.Second))})
	case step < -clockStep:
		entries = append(entries, control.CoverageEntry{Kind: "clock", Text: fmt.Sprintf("the clock was set back by %v", (-step).Round(time.Second))})
	}
	return entries
}
