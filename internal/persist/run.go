package persist

import (
	"context"
	"time"

	"github.com/packetcache/packetcache/eventlog"
)

// Run reads back what an earlier run has left, and makes checkpoints until ctx is
// done. When it returns nothing is being read or written. A restore under way is
// ended first, if there is time.
func (k *Keeper) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(k.step(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-k.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// forever is until the settings change.
const forever = 1 << 62

// step does what there is to do now, and says after how long to look again.
func (k *Keeper) step(ctx context.Context) time.Duration {
	k.work.Lock()
	defer k.work.Unlock()
	if !k.config().Persist {
		k.note(func(s *Status) { s.State, s.Problem, s.Next, s.Note = Off, nil, time.Time{}, "" })
		return forever
	}
	if k.vault == nil && !k.take() {
		return lookAgain
	}
	if !k.restored {
		k.note(func(s *Status) { s.State = Restoring })
		if k.restore(ctx); !k.restored { // the service stops
			return forever
		}
		k.last = time.Now()
	}
	k.note(func(s *Status) { s.State = Ready })
	return k.keep(ctx)
}

// take takes the directory.
func (k *Keeper) take() bool {
	v, err := k.at()
	before := k.Status().Problem
	if err != nil {
		if before == nil {
			eventlog.DirectoryUnusable(k.o.Dir, err).Log(k.o.Log)
		}
		k.note(func(s *Status) { s.State, s.Problem = Waiting, err })
		return false
	}
	if before != nil {
		eventlog.DirectoryRecovered(k.o.Dir).Log(k.o.Log)
	}
	k.mu.Lock()
	k.vault = v
	k.mu.Unlock()
	var aside []string
	names, err := v.Rejected()
	if err != nil {
		k.o.Log.WithError(err).Info("Files that were set aside could not be listed")
	}
	for _, name := range names {
		aside = append(aside, v.Path(name))
	}
	k.note(func(s *Status) { s.Problem, s.SetAside = nil, aside })
	return true
}
