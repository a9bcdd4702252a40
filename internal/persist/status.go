package persist

import (
	"path/filepath"
	"slices"
	"time"
)

// A State is how it stands.
type State uint8

// The states of a Keeper.
const (
	// Off: the settings say that nothing is to be kept.
	Off State = iota
	// Waiting: the directory cannot be used. It is tried again.
	Waiting
	// Restoring: the file of an earlier run is being read back.
	Restoring
	// Ready: the next save is that of a checkpoint or the stop.
	Ready
	// Saving: the cache is being sealed.
	Saving
)

// A Status is what there is to say of a Keeper.
type Status struct {
	State State
	// Problem is why the directory cannot be used or the last save failed, nil if
	// neither is so.
	Problem error
	// Saved is the last save of this run, Restored what came back from an earlier
	// one; nil if there was none.
	Saved    *Saved
	Restored *Restored
	// Next is when the next checkpoint is due, zero if none is. Note says why that
	// is later than the settings say, or none.
	Next time.Time
	Note string
	// SetAside are the paths of files that could not be read whole and are there yet.
	SetAside []string
}

// A Count is packets and their captured bytes.
type Count struct{ Packets, Bytes uint64 }

// Saved is a save that succeeded.
type Saved struct {
	Time time.Time
	Took time.Duration
	// Final says that it was the last, at the stop.
	Final bool
	// In the file, which has FileBytes, are Held. Left is what there was no time
	// for.
	Held, Left Count
	FileBytes  int64
}

// Restored is what came of a file of an earlier run.
type Restored struct {
	// Saved is as of when the file is, Final that it was made at a stop.
	Saved time.Time
	Final bool
	// Away is how long before the start of this run that was, by the clock on the
	// wall. SetBack is by how much that has gone back since, at least; then Away is 0,
	// and nobody knows.
	Away, SetBack time.Duration
	// Kept came back. Left did not, for want of memory or because of Damage.
	Kept, Left Count
	Damage     error
	// Done is the part of the file that has been read, from 0 to 1.
	Done float64
}

// Status says how it stands.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	if len(s.SetAside) > 0 { // else the disk is not asked
		if there, err := k.vault.Rejected(); err == nil {
			s.SetAside = slices.DeleteFunc(slices.Clone(s.SetAside), func(path string) bool {
				return !slices.Contains(there, filepath.Base(path))
			})
		}
	}
	if s.Saved != nil {
		saved := *s.Saved
		s.Saved = &saved
	}
	if s.Restored != nil {
		restored := *s.Restored
		s.Restored = &restored
	}
	return s
}

// note changes the status.
func (k *Keeper) note(change func(*Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.status)
}
