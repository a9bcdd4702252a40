package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

// errTooShort means that a file would hold less than is worth having.
var errTooShort = errors.New("the time was too short for the beginnings of all sessions")

// errGivenUp means that a save was ended for something more important.
var errGivenUp = errors.New("given up")

// Save seals the cache a last time, against the deadline of StopBy. Run has ended,
// and nothing comes into the cache any more.
func (k *Keeper) Save(ctx context.Context) {
	k.work.Lock()
	defer k.work.Unlock()
	if !k.config().Persist || k.vault == nil {
		return
	}
	if !k.restored {
		eventlog.CacheNotSaved(k.vault.Path(vault.Name), errors.New("the time was too short to read back what it holds")).Log(k.o.Log)
		return
	}
	k.save(true, limit{
		by:      func() time.Time { return k.o.StopBy(ctx) },
		givenUp: func() bool { return k.waiting.Load() > 0 },
	})
}

// checkpoint seals the cache while the service goes on. It is given up when ctx is
// done or somebody waits.
func (k *Keeper) checkpoint(ctx context.Context) {
	k.save(false, limit{givenUp: func() bool { return ctx.Err() != nil || k.waiting.Load() > 0 }})
}

// A limit is when a save is to end.
type limit struct {
	// by is when the file has to be on the disk; what has no time is left out. nil:
	// there is time.
	by func() time.Time
	// givenUp says that nothing is to become of it.
	givenUp func() bool
}

// over reports whether nothing more can be written but the end of the file, which
// takes the time of reserve.
func (l *limit) over(reserve time.Duration) bool {
	return l.by != nil && time.Until(l.by()) < reserve
}

// save seals the cache, and tells what came of it.
func (k *Keeper) save(final bool, l limit) {
	before := k.Status()
	k.note(func(s *Status) { s.State = Saving })
	seen := k.o.Cache.Stats().Seen.Packets
	saved, missing, err := k.write(final, l)
	path := k.vault.Path(vault.Name)
	switch {
	case errors.Is(err, errGivenUp):
		k.note(func(s *Status) { s.State = Ready })
		return
	case err != nil:
		if before.Problem == nil || final {
			eventlog.CacheNotSaved(path, err).Log(k.o.Log)
		}
		k.note(func(s *Status) {
			s.State, s.Problem = Ready, fmt.Errorf("the cache could not be sealed into %s: %w", path, err)
		})
		return
	}
	k.seen = seen
	k.note(func(s *Status) { s.State, s.Problem, s.Saved = Ready, nil, saved })
	switch {
	case missing != "":
		eventlog.CacheSavedInPart(path, saved.Held.Packets, saved.Held.Bytes, missing).Log(k.o.Log)
	case final:
		eventlog.CacheSaved(path, saved.Took, saved.Held.Packets, saved.Held.Bytes, uint64(saved.FileBytes)).Log(k.o.Log)
	default:
		k.o.Log.WithFields(map[string]any{"packets": saved.Held.Packets, "bytes": saved.FileBytes, "took": saved.Took}).Debug("Checkpoint written")
	}
	if before.Problem != nil && !final {
		eventlog.CacheSavedAgain(path).Log(k.o.Log)
	}
	if err := k.vault.DestroyKeys(k.key.Name); err != nil {
		k.o.Log.WithError(err).Info("Old keys could not be destroyed; tried again after the next save")
	}
}

// write writes the file. What had no time, missing says.
func (k *Keeper) write(final bool, l limit) (saved *Saved, missing string, err error) {
	begun := time.Now()
	now := k.o.Now()
	if k.stuck != nil {
		if err := k.moveAside(k.stuck); err != nil {
			return nil, "", err
		}
	}
	if k.key == nil {
		if k.key, err = k.vault.NewKey(); err != nil {
			return nil, "", fmt.Errorf("making a key: %w", err)
		}
	}
	saver := k.o.Cache.NewSaver()
	defer saver.End()
	state := saver.State()
	head := &seal.Head{
		Program: k.o.Program, Host: k.o.Host, Saved: now, Final: final,
		State: *state, Coverage: k.o.Coverage(),
	}
	file, err := k.vault.Create()
	if err != nil {
		return nil, "", err
	}
	defer file.Abort()
	if !final {
		file.GiveWay()
	}
	flush := newFlusher(file)
	defer func() { k.size = flush.written }()
	defer flush.land() // a file is not closed while it is on its way to the disk
	to := append([]age.Recipient{k.key.Recipient}, k.config().Recipients...)
	w, err := seal.NewWriter(flush, k.key.Name, to, head)
	if err != nil {
		return nil, "", err
	}
	defer w.Abort()
	left := newRemainder(state)
	cut := false
	for seg := new(record.Segment); saver.Next(seg); {
		if l.givenUp() {
			return nil, "", errGivenUp
		}
		if cut = l.over(flush.reserve(len(seg.Data))); cut {
			break
		}
		if err := w.Segment(seg); err == nil {
			left.passed(seg)
		} else if flush.err != nil {
			return nil, "", flush.err
		}
	}
	if cut && left.heads() && k.vault.Holds() {
		return nil, "", errTooShort
	}
	end := seal.End{Cut: cut, Evicted: saver.Missed()}
	lacks := left.total()
	if lacks.Packets -= min(lacks.Packets, end.Evicted); cut {
		end.Left = lacks.Packets
	}
	if err := w.Close(end); err != nil {
		return nil, "", err
	}
	if err := flush.finish(); err != nil {
		return nil, "", err
	}
	if err := file.Commit(); err != nil {
		return nil, "", err
	}
	held := w.Written()
	saved = &Saved{
		Time: now, Took: time.Since(begun), Final: final,
		Held: Count{held.Packets, held.Bytes}, FileBytes: flush.written,
	}
	if cut {
		saved.Left = lacks
		missing = left.String()
	}
	return saved, missing, nil
}
