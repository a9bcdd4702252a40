package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/packetcache/packetcache/eventlog"
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
		slept, step := compareClocks(before, now)
		for _, e := range clockEntries(slept, step) {
			e.Time = time.Now()
			d.coverage.add(e)
		}
		if slept > 0 {
			eventlog.MachineSlept(slept).Log(d.log)
		}
		if step != 0 {
			eventlog.ClockSet(step).Log(d.log)
		}
		before = now
	}
}

// compareClocks says for how long the machine slept between two readings, and
// by how much its clock was set forward, or back if negative. What is less than
// clockStep counts as 0, the rest is rounded to seconds.
func compareClocks(before, now clocks) (slept, step time.Duration) {
	boot := now.boot - before.boot
	slept = boot - (now.awake - before.awake)
	if slept <= clockStep {
		slept = 0
	}
	step = now.wall - before.wall - boot
	if step.Abs() <= clockStep {
		step = 0
	}
	return slept.Round(time.Second), step.Round(time.Second)
}

// clockEntries tells what compareClocks found.
func clockEntries(slept, step time.Duration) []control.CoverageEntry {
	var entries []control.CoverageEntry
	if slept > 0 {
		entries = append(entries, control.CoverageEntry{Kind: "sleep", Text: fmt.Sprintf("the machine slept for %v", slept)})
	}
	switch {
	case step > 0:
		entries = append(entries, control.CoverageEntry{Kind: "clock", Text: fmt.Sprintf("the clock was set forward by %v", step)})
	case step < 0:
		entries = append(entries, control.CoverageEntry{Kind: "clock", Text: fmt.Sprintf("the clock was set back by %v", -step)})
	}
	return entries
}
