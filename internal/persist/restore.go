package persist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

const (
	// attempts is how many processes may end while they read a file back before it
	// is set aside: a power cut is not its fault, a crash every time is.
	attempts = 3
	// longestAway bounds for how long the service may have been away. A clock that
	// is set wrong can say anything.
	longestAway = 366 * 24 * time.Hour
	// clockStep is by how much a clock that is corrected now and then may go back.
	clockStep = 2 * time.Second
)

// errUnfinished means that a restore was ended before the file was.
var errUnfinished = errors.New("not read to its end")

// restore reads the file of an earlier run back, if there is one. What cannot be
// read is set aside.
func (k *Keeper) restore(ctx context.Context) {
	file, err := k.vault.Open()
	if errors.Is(err, fs.ErrNotExist) {
		k.restored = true
		return
	}
	if err != nil {
		k.setAside(err)
		return
	}
	defer file.Close()
	path, died := k.vault.Path(vault.Name), k.vault.Attempts()
	if died >= attempts {
		file.Close() // Windows renames no file that is open
		k.setAside(fmt.Errorf("%d times PacketCache ended before it had read it back", died))
		return
	}
	if died > 0 {
		eventlog.RestoreDied(path, uint64(died)).Log(k.o.Log)
	}
	// Where it cannot be noted, the disk is full or read-only, and saving tells.
	_ = k.vault.Attempt(died + 1)
	if info, err := file.Stat(); err == nil {
		k.size = info.Size()
	}
	err = k.read(ctx, file)
	file.Close()
	if errors.Is(err, errUnfinished) {
		_ = k.vault.Arrived()
		// Who waits wipes it; otherwise the service is told to stop.
		k.restored = k.waiting.Load() > 0
		return
	}
	if err != nil {
		k.setAside(err)
		k.alone = k.Status().Restored != nil
		return
	}
	_ = k.vault.Arrived()
	k.restored = true
}

// setAside keeps a file that is not to be read again. Where it cannot have another
// name yet, it is tried again before each save.
func (k *Keeper) setAside(why error) {
	k.restored = true
	err := k.moveAside(why)
	_ = k.vault.Arrived()
	if err != nil {
		k.note(func(s *Status) { s.Problem = err })
		eventlog.FileSetAside(k.vault.Path(vault.Name), "it is", err.Error()).Log(k.o.Log)
	}
}

// moveAside gives a file another name.
func (k *Keeper) moveAside(why error) error {
	path := k.vault.Path(vault.Name)
	name, err := k.vault.SetAside()
	if errors.Is(err, fs.ErrNotExist) { // somebody has taken it away
		k.stuck = nil
		return nil
	}
	if err != nil {
		k.stuck = why
		return fmt.Errorf("%s can neither be read (%w) nor be renamed (%w)", path, why, err)
	}
	k.stuck = nil
	as := k.vault.Path(name)
	eventlog.FileSetAside(path, as, why.Error()).Log(k.o.Log)
	k.note(func(s *Status) { s.SetAside = append(s.SetAside[:len(s.SetAside):len(s.SetAside)], as) })
	return nil
}

// read reads a file into the cache. The error says what of it was not read.
func (k *Keeper) read(ctx context.Context, file datadir.File) error {
	in := &follower{file: file}
	reader, err := k.unseal(in)
	if err != nil {
		return err
	}
	defer reader.Close()
	head := reader.Head()
	since := k.o.Now().Sub(head.Saved)
	away := min(max(since, 0), longestAway)
	restorer, err := k.o.Cache.NewRestorer(&head.State, away)
	if err != nil {
		return err
	}
	defer restorer.End()
	restored := Restored{Saved: head.Saved, Final: head.Final, Away: away}
	if since < -clockStep {
		restored.SetBack = -since
	}
	k.note(func(s *Status) { s.Restored = &restored })
	left := newRemainder(&head.State)
	var refused error // the last segment that made no sense
	stop := stopper{ctx: ctx, k: k}
	for seg := new(record.Segment); ; {
		if stop.now() {
			return errUnfinished
		}
		passed := reader.Passed()
		if err = reader.Next(seg); reader.Passed() > passed {
			restorer.Gap()
		}
		if err != nil {
			break
		}
		kept, wrong := restorer.Add(seg)
		if wrong != nil {
			refused = wrong
		}
		if kept {
			left.passed(seg)
		}
		k.note(func(s *Status) {
			if kept {
				s.Restored.Kept.Packets += uint64(seg.Records)
				s.Restored.Kept.Bytes += seg.Captured
			}
			s.Restored.Done = min(float64(in.to)/float64(max(k.size, 1)), 1)
		})
	}
	if errors.Is(err, io.EOF) {
		err = refused
	}
	k.returned(reader, left, err)
	return err
}

// unseal begins to read a file with the key that it names.
func (k *Keeper) unseal(in io.ReaderAt) (*seal.Reader, error) {
	name, err := vault.Identity(in)
	if err != nil {
		return nil, err
	}
	key, err := k.vault.Key(name)
	if err != nil {
		eventlog.KeyLost(k.vault.Path(vault.Name), err).Log(k.o.Log)
		return nil, fmt.Errorf("its key cannot be had: %w", err)
	}
	return seal.NewReader(in, key.Identity)
}

// returned tells what came of a file.
func (k *Keeper) returned(reader *seal.Reader, left remainder, damage error) {
	now, head := k.Status().Restored, reader.Head()
	// Of a whole file it is known what it holds; of another, what it was to hold.
	missing := left.total()
	if end, ok := reader.End(); ok {
		missing = Count{end.Packets - min(end.Packets, now.Kept.Packets), end.Bytes - min(end.Bytes, now.Kept.Bytes)}
	}
	k.note(func(s *Status) { s.Restored.Left, s.Restored.Damage, s.Restored.Done = missing, damage, 1 })
	path, how := k.vault.Path(vault.Name), sealed(head)
	switch {
	case damage != nil:
		eventlog.CacheRestoredInPart(path, how, now.Kept.Packets, now.Kept.Bytes, lacks(missing.Packets, damage)).Log(k.o.Log)
	case missing.Packets > 0:
		eventlog.CacheRestoredInPart(path, how, now.Kept.Packets, now.Kept.Bytes,
			fmt.Sprintf("%d of its %d packets, for want of memory", missing.Packets, now.Kept.Packets+missing.Packets)).Log(k.o.Log)
	default:
		eventlog.CacheRestored(path, now.Kept.Packets, now.Kept.Bytes, how, now.gap()).Log(k.o.Log)
	}
	k.o.Returned(head)
}

// lacks says in words what did not come back of a file that is not as it should be.
func lacks(packets uint64, damage error) string {
	why := "makes no sense in part: " + damage.Error()
	var at *seal.DamageError
	if errors.As(damage, &at) {
		why = "is " + at.Error()
	}
	if packets == 0 {
		return "nothing that is known of, but the file " + why
	}
	return fmt.Sprintf("%d packets, since the file %s", packets, why)
}

// gap says in words how long nothing was recorded.
func (r *Restored) gap() string {
	if r.SetBack > 0 {
		return fmt.Sprintf("nobody knows how long, since the clock has been set back meanwhile, by %v or more", r.SetBack.Round(time.Second))
	}
	return r.Away.Round(time.Second).String()
}

// sealed says when a file was, in words.
func sealed(head *seal.Head) string {
	if head.Final {
		return "at the stop on " + head.Saved.Local().Format(time.RFC3339)
	}
	return "by the checkpoint of " + head.Saved.Local().Format(time.RFC3339)
}

// A stopper says when to end a restore before its time: at once for somebody who
// waits, and when the service is told to stop after half of the time it has for
// that, since the other half would do for saving.
type stopper struct {
	k    *Keeper
	ctx  context.Context
	half time.Time // zero: it has not been told yet
}

func (s *stopper) now() bool {
	if s.k.waiting.Load() > 0 {
		return true
	}
	if s.ctx.Err() == nil {
		return false
	}
	if s.half.IsZero() {
		now := time.Now()
		s.half = now.Add(s.k.o.StopBy(s.ctx).Sub(now) / 2)
	}
	return !time.Now().Before(s.half)
}

// A follower knows up to where a file has been read.
type follower struct {
	file io.ReaderAt
	to   int64
}

func (f *follower) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.file.ReadAt(p, at)
	f.to = max(f.to, at+int64(n))
	return n, err
}
