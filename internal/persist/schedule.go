package persist

import (
	"context"
	"time"

	"github.com/packetcache/packetcache/eventlog"
)

const (
	// lookAgain is after how long it is tried again what could not be done.
	lookAgain = time.Minute
	// Checkpoints write at most 4 GB a day, which flash memory bears for decades:
	// burstBytes at once, and as much as dailyBytes from then on. Of a larger file
	// one at a time.
	burstBytes = 1_000_000_000
	dailyBytes = 3_000_000_000
	day        = 24 * time.Hour
)

// An allowance is how many bytes checkpoints may still write.
type allowance struct {
	bytes float64
	as    time.Time // as of when
}

// after returns the time from which on a file of so many bytes may be written.
func (a *allowance) after(bytes int64, now time.Time) time.Time {
	a.settle(now)
	short := min(float64(bytes), burstBytes) - a.bytes
	return now.Add(time.Duration(max(short, 0) / dailyBytes * float64(day)))
}

// spend takes away what was written.
func (a *allowance) spend(bytes int64, now time.Time) {
	a.settle(now)
	a.bytes -= float64(bytes)
}

// settle adds what has come since.
func (a *allowance) settle(now time.Time) {
	if a.as.IsZero() {
		a.bytes, a.as = burstBytes, now
	}
	if passed := now.Sub(a.as); passed > 0 {
		a.bytes = min(a.bytes+float64(passed)/float64(day)*dailyBytes, burstBytes)
		a.as = now
	}
}

// keep makes a checkpoint if one is due, and says after how long to look again.
func (k *Keeper) keep(ctx context.Context) time.Duration {
	interval, now := k.config().Interval, time.Now()
	if interval == 0 && !k.alone {
		k.plan(time.Time{}, "")
		return forever
	}
	due, note := k.last.Add(interval), ""
	if allowed := k.allowance.after(k.size, now); allowed.After(due) {
		due, note = allowed, "later than the setting says, to write no more than 4 GB a day"
	}
	if k.alone {
		due = now
	}
	if wait := due.Sub(now); wait > 0 {
		k.plan(due, note)
		return wait
	}
	if k.onBattery() {
		k.plan(time.Time{}, "checkpoints wait, since the machine runs on battery")
		return lookAgain
	}
	if k.o.Cache.Stats().Seen.Packets == k.seen && !k.alone {
		k.last = now
		k.plan(now.Add(interval), "nothing has been recorded since the last")
		return interval
	}
	k.checkpoint(ctx)
	k.allowance.spend(k.size, now)
	k.last, k.alone = now, false
	return 0 // to plan the next one
}

// plan says when the next checkpoint is due, and what there is to say of that.
func (k *Keeper) plan(next time.Time, note string) {
	k.note(func(s *Status) { s.Next, s.Note = next, note })
}

// onBattery reports whether checkpoints are to wait, and tells so once.
func (k *Keeper) onBattery() bool {
	if !k.o.OnBattery() {
		k.waits = false
		return false
	}
	if !k.waits {
		k.waits = true
		eventlog.CheckpointsWait("the machine runs on battery").Log(k.o.Log)
	}
	return true
}
