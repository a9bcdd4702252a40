package persist

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/vault"
)

const few = 1000 // packets that fit into the smallest cache, most of them in full segments

// What was saved comes back, once, with the packets of the new run beside it.
func TestSaveAndRestore(t *testing.T) {
	disk := saved(t, few)
	r := begin(t, disk, cache.MinBytes, manual)
	fill(r.cache, few, few) // captured before and while it is restored
	s := r.ready()
	holds(t, "after the restore", r.cache, numbered(0, 2*few))
	if s.Restored == nil || s.Restored.Kept.Packets != few || s.Restored.Left.Packets != 0 || !s.Restored.Final || s.Restored.Done != 1 || s.Saved != nil {
		t.Errorf("status %+v, restored %+v", s, s.Restored)
	}
	if len(r.heads) != 1 || len(r.heads[0].Coverage) != 1 || r.heads[0].Host != "host" {
		t.Errorf("returned: %+v", r.heads)
	}
	r.end()
	r.said("CacheRestored", "CacheSaved")
	if names, keys := files(t, disk); !slices.Equal(names, []string{vault.Name}) || keys != 1 {
		t.Errorf("there are the files %q and %d keys", names, keys)
	}
	again := begin(t, disk, cache.MinBytes, manual)
	again.ready()
	holds(t, "after the second restore", again.cache, numbered(0, 2*few))
	again.kill()
}

// Nothing on the disk can be read.
func TestSealed(t *testing.T) {
	text := string(file(t, saved(t, few), vault.Name))
	for i := range few {
		if p := frame(i); strings.Contains(text, string(p[50:150])) {
			t.Fatal("the file holds packets that can be read")
		}
	}
}

// A first start has nothing to restore and nothing to say, and an empty cache is
// saved, too, with the log of when the service looked.
func TestFirstStart(t *testing.T) {
	disk := faults.New()
	r := begin(t, disk, cache.MinBytes, manual)
	if s := r.ready(); s.Restored != nil || s.Problem != nil {
		t.Errorf("status %+v", s)
	}
	r.end()
	r.said("CacheSaved")
	r = begin(t, disk, cache.MinBytes, manual)
	r.ready()
	if len(r.heads) != 1 {
		t.Errorf("%d heads came back", len(r.heads))
	}
	r.kill()
}

// The key of a run and its file stay until the next file is on the disk.
func TestLifeOfKeys(t *testing.T) {
	disk := saved(t, few)
	first := file(t, disk, vault.Name)
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	if names, keys := files(t, disk); !slices.Equal(names, []string{vault.Name}) || keys != 1 {
		t.Errorf("after the restore there are the files %q and %d keys", names, keys)
	}
	if key, identity, err := r.Unwrap(headerOf(t, first)); err != nil || len(key) != 16 || !strings.HasPrefix(identity, "age1") {
		t.Errorf("the key of the first file: %d bytes, %q, %v", len(key), identity, err)
	}
	r.end()
	if _, keys := files(t, disk); keys != 1 {
		t.Errorf("after the save there are %d keys", keys)
	}
	r = begin(t, disk, cache.MinBytes, manual)
	r.ready()
	if _, _, err := r.Unwrap(headerOf(t, first)); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key of the first file after the second was written: %v", err)
	}
	if key, _, err := r.Unwrap(headerOf(t, file(t, disk, vault.Name))); err != nil || len(key) != 16 {
		t.Errorf("the key of the second file: %v", err)
	}
	r.kill()
}

// A file that can neither be read nor be given another name is not replaced by a new
// one, but as soon as it can be.
func TestStuck(t *testing.T) {
	disk := saved(t, few)
	free, held := stuckFile(t, disk)
	bad := file(t, disk, vault.Name)
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: 1})
	fill(r.cache, 0, few)
	s := r.await("another try", func(s Status) bool { return disk.Operations() > 200 && errors.Is(s.Problem, held) })
	if len(s.SetAside) > 0 {
		t.Errorf("status %+v", s)
	}
	if now := file(t, disk, vault.Name); !bytes.Equal(now, bad) {
		t.Fatal("the file was replaced, and never set aside")
	}
	r.said("FileSetAside")
	free.Store(true)
	fill(r.cache, few, few)
	s = r.await("a save", func(s Status) bool { return s.Saved != nil })
	r.kill()
	if kept := file(t, disk, vault.Name+".rejected"); !bytes.Equal(kept, bad) || len(s.SetAside) != 1 || s.Problem != nil {
		t.Errorf("the file that was set aside is another, or not told: %+v", s)
	}
	r.said("FileSetAside", "FileSetAside", "CacheSavedAgain")
}

// stuckFile makes the sealed cache one that can neither be read nor be renamed, as the
// error says, until it is free.
func stuckFile(t *testing.T, disk *faults.Disk) (free *atomic.Bool, held error) {
	t.Helper()
	must(t, datadir.On(disk).Write(vault.Name, file(t, disk, vault.Name)[:1000]))
	free, held = new(atomic.Bool), errors.New("held open by another program")
	disk.Fail = func(o faults.Operation) error {
		if o.Kind == faults.Replace && o.Name == vault.Name && !free.Load() {
			return held
		}
		return nil
	}
	return free, held
}

// One that somebody takes away holds up nothing any more.
func TestStuckAndGone(t *testing.T) {
	disk := saved(t, few)
	free, held := stuckFile(t, disk)
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: 1})
	fill(r.cache, 0, few)
	r.await("a save that fails", func(s Status) bool { return errors.Is(s.Problem, held) })
	must(t, datadir.On(disk).Remove(vault.Name))
	free.Store(true)
	s := r.await("a save", func(s Status) bool { return s.Saved != nil })
	r.kill()
	if s.Problem != nil || len(s.SetAside) > 0 {
		t.Errorf("status %+v", s)
	}
}

// A smaller cache keeps the most important, and says what it lacks.
func TestLessMemory(t *testing.T) {
	const many = 40_000 // 12 MB
	disk := faults.New()
	r := begin(t, disk, 32<<20, manual)
	r.ready()
	fill(r.cache, 0, many)
	r.end()
	r = begin(t, disk, cache.MinBytes, manual)
	s := r.ready()
	n := among(t, r.cache, numbered(0, many))
	if n == 0 || n == many || s.Restored.Kept.Packets+s.Restored.Left.Packets != many {
		t.Errorf("%d packets, restored %+v", n, s.Restored)
	}
	r.kill()
	r.said("CacheRestoredInPart")
	if text := r.log.text("CacheRestoredInPart"); !strings.Contains(text, "for want of memory") {
		t.Errorf("it says %q", text)
	}
}

// With little time a file holds what is most important, and whole it is.
func TestDeadline(t *testing.T) {
	disk := faults.New()
	r := begin(t, disk, 32<<20, manual)
	r.ready()
	fill(r.cache, 0, 40_000)
	disk.Fail = func(o faults.Operation) error {
		if o.Kind == faults.Sync {
			time.Sleep(20 * time.Millisecond)
		}
		return nil
	}
	r.by = 400 * time.Millisecond
	begun := time.Now()
	r.end()
	took := time.Since(begun)
	s := r.Status()
	if s.Saved == nil || s.Saved.Left.Packets == 0 || s.Saved.Held.Packets+s.Saved.Left.Packets != 40_000 {
		t.Fatalf("status %+v, saved %+v in %v", s, s.Saved, took)
	}
	r.said("CacheSavedInPart")
	t.Logf("in %v: %s", took, r.log.text("CacheSavedInPart"))
	disk.Fail = nil
	again := begin(t, disk, 32<<20, manual)
	if s := again.ready(); s.Restored.Kept != r.Status().Saved.Held || s.Restored.Damage != nil {
		t.Errorf("restored %+v", s.Restored)
	}
	again.said("CacheRestored")
	again.kill()
}

// With too little time for the beginnings of sessions the file that was there is
// worth more than what could be written.
func TestTooShort(t *testing.T) {
	disk := saved(t, few)
	before := file(t, disk, vault.Name)
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	fill(r.cache, few, few)
	r.by = 0
	r.end()
	if string(file(t, disk, vault.Name)) != string(before) {
		t.Error("the file is another")
	}
	r.said("CacheRestored", "CacheNotSaved")
	if text := r.log.text("CacheNotSaved"); !strings.Contains(text, "time was too short") {
		t.Errorf("it says %q", text)
	}
	if _, keys := files(t, disk); keys != 2 {
		t.Errorf("there are %d keys, want that of the file and that of this run", keys)
	}
	// Where there was none, anything is better than nothing.
	empty := faults.New()
	r = begin(t, empty, cache.MinBytes, manual)
	r.ready()
	fill(r.cache, 0, few)
	r.by = 0
	r.end()
	r.said("CacheSavedInPart")
}

// Checkpoints are made as often as the settings say, and what a killed run has
// recorded up to the last one comes back.
func TestCheckpoints(t *testing.T) {
	disk := faults.New()
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: 10 * time.Millisecond})
	for i := range 5 {
		fill(r.cache, i*few, few)
		r.await("a checkpoint", func(s Status) bool { return s.Saved != nil && s.Saved.Held.Packets == uint64((i+1)*few) })
	}
	if s := r.Status(); s.Saved.Final || s.Problem != nil {
		t.Errorf("status %+v, saved %+v", s, s.Saved)
	}
	r.kill()
	r.said()
	r = begin(t, disk, cache.MinBytes, manual)
	if s := r.ready(); s.Restored.Final {
		t.Errorf("restored %+v", s.Restored)
	}
	holds(t, "after the kill", r.cache, numbered(0, 5*few))
	if text := r.log.text("CacheRestored"); !strings.Contains(text, "sealed by the checkpoint of ") {
		t.Errorf("it says %q", text)
	}
	r.kill()
}

// Where nothing has come since the last checkpoint, none is made.
func TestIdle(t *testing.T) {
	disk := faults.New()
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: time.Millisecond})
	fill(r.cache, 0, few)
	r.await("a checkpoint", func(s Status) bool { return s.Saved != nil && s.Saved.Held.Packets == few })
	s := r.await("the next one put off", func(s Status) bool { return s.Note != "" })
	before := s.Saved.Time
	for range 20 {
		time.Sleep(time.Millisecond)
	}
	if s := r.Status(); !s.Saved.Time.Equal(before) || !strings.Contains(s.Note, "nothing has been recorded") {
		t.Errorf("status %+v", s)
	}
	r.kill()
}

func TestBattery(t *testing.T) {
	r := newRun(t, cache.MinBytes, Settings{Persist: true, Interval: time.Millisecond})
	disk := faults.New()
	r.at = func() (*vault.Vault, error) { return vault.In("/data", datadir.On(disk)) }
	r.o.OnBattery = func() bool { return true }
	r.start()
	fill(r.cache, 0, few)
	s := r.await("the checkpoint put off", func(s Status) bool { return s.Note != "" })
	if s.Saved != nil || !s.Next.IsZero() || !strings.Contains(s.Note, "battery") {
		t.Errorf("status %+v", s)
	}
	r.end() // at the stop it is saved all the same
	r.said("CheckpointsWait", "CacheSaved")
}

// Settings apply at once.
func TestConfigure(t *testing.T) {
	disk := saved(t, few)
	r := begin(t, disk, cache.MinBytes, Settings{})
	r.await("off", func(s Status) bool { return s.State == Off })
	fill(r.cache, few, few)
	r.Configure(Settings{Persist: true, Interval: time.Millisecond})
	r.await("a checkpoint", func(s Status) bool { return s.Saved != nil && s.Saved.Held.Packets == 2*few })
	r.Configure(Settings{})
	r.await("off", func(s Status) bool { return s.State == Off && s.Next.IsZero() })
	before := file(t, disk, vault.Name)
	fill(r.cache, 2*few, few)
	r.end()
	if string(file(t, disk, vault.Name)) != string(before) {
		t.Error("it was saved after all")
	}
}

// What is wiped does not come back, and neither does its key.
func TestClear(t *testing.T) {
	disk := saved(t, few)
	first := file(t, disk, vault.Name)
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: time.Millisecond})
	r.ready()
	fill(r.cache, few, few)
	removed, err := r.Clear()
	must(t, err)
	if !slices.Equal(removed, []string{filepath.Join("/data", vault.Name)}) {
		t.Errorf("removed are %q", removed)
	}
	among(t, r.cache, nil)
	fill(r.cache, 2*few, few)
	r.await("a checkpoint", func(s Status) bool { return s.Saved != nil && s.Saved.Held.Packets == few })
	if _, _, err := r.Unwrap(headerOf(t, first)); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key of the first file: %v", err)
	}
	r.kill()
	r = begin(t, disk, cache.MinBytes, manual)
	r.ready()
	holds(t, "after a restart", r.cache, numbered(2*few, few))
	r.kill()
}

// slowly has a disk read the sealed cache only when it is told to.
func slowly(disk *faults.Disk) (goOn func()) {
	wait := make(chan struct{})
	disk.Fail = func(o faults.Operation) error {
		if o.Kind == faults.Read && o.Name == vault.Name {
			<-wait
		}
		return nil
	}
	return sync.OnceFunc(func() { close(wait) })
}

// Who clears while a file is being restored has the restore end.
func TestClearWhileRestoring(t *testing.T) {
	disk := saved(t, few)
	goOn := slowly(disk)
	r := begin(t, disk, cache.MinBytes, manual)
	r.reading()
	cleared := make(chan error)
	go func() {
		_, err := r.Clear()
		cleared <- err
	}()
	for r.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	goOn()
	must(t, <-cleared)
	r.ready()
	among(t, r.cache, nil)
	if names, keys := files(t, disk); len(names) != 0 || keys != 0 {
		t.Errorf("there are the files %q and %d keys", names, keys)
	}
	r.said()
	r.end()
}

// A stop during the restore leaves the file that was there.
func TestStopWhileRestoring(t *testing.T) {
	disk := saved(t, few)
	before := file(t, disk, vault.Name)
	goOn := slowly(disk)
	r := begin(t, disk, cache.MinBytes, manual)
	r.by = 0
	r.reading()
	r.stop()
	goOn()
	r.end()
	disk.Fail = nil
	if string(file(t, disk, vault.Name)) != string(before) {
		t.Error("the file is another")
	}
	r.said("CacheNotSaved")
	r = begin(t, disk, cache.MinBytes, manual)
	r.ready()
	holds(t, "after the next start", r.cache, numbered(0, few))
	r.said("CacheRestored") // and nothing of a death
	r.kill()
}

// What can't be used is told once, tried again, and told when it can.
func TestDirectory(t *testing.T) {
	wrong := errors.New("it is somebody else's")
	r := newRun(t, cache.MinBytes, manual)
	disk, open := faults.New(), make(chan struct{})
	r.at = func() (*vault.Vault, error) {
		select {
		case <-open:
			return vault.In("/data", datadir.On(disk))
		default:
			return nil, wrong
		}
	}
	r.start()
	s := r.await("waiting", func(s Status) bool { return s.State == Waiting })
	if !errors.Is(s.Problem, wrong) {
		t.Errorf("status %+v", s)
	}
	r.Configure(manual) // look again
	close(open)
	r.Configure(manual)
	if s := r.ready(); s.Problem != nil {
		t.Errorf("status %+v", s)
	}
	r.end()
	r.said("DirectoryUnusable", "DirectoryRecovered", "CacheSaved")
}

// Two services do not share a directory, and who waits for it can still clear.
func TestDirectoryInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := beginIn(t, dir, cache.MinBytes, manual)
	first.ready()
	second := beginIn(t, dir, cache.MinBytes, manual)
	s := second.await("waiting", func(s Status) bool { return s.State == Waiting })
	if !errors.Is(s.Problem, datadir.ErrInUse) {
		t.Errorf("status %+v", s)
	}
	if _, err := second.Clear(); !errors.Is(err, datadir.ErrInUse) {
		t.Errorf("cleared: %v", err)
	}
	second.end()
	second.said("DirectoryUnusable")
	first.end()
	first.said("CacheSaved")
}

// Three starts that end while they read a file are enough of it.
func TestDeaths(t *testing.T) {
	disk := saved(t, few)
	var last *run
	for n := range attempts + 1 {
		disk = disk.PowerCut(nil)
		v, err := vault.In("/data", datadir.On(disk))
		must(t, err)
		if got := v.Attempts(); got != n {
			t.Fatalf("%d attempts before start %d", got, n)
		}
		if n < attempts {
			must(t, v.Attempt(n+1)) // as a start does that dies then
			continue
		}
		last = begin(t, disk, cache.MinBytes, manual)
		last.ready()
	}
	last.said("FileSetAside")
	if text := last.log.text("FileSetAside"); !strings.Contains(text, "3 times PacketCache ended") {
		t.Errorf("it says %q", text)
	}
	last.end()
	if names, keys := files(t, disk); !slices.Equal(names, []string{vault.Name, vault.Name + ".rejected"}) || keys != 2 {
		t.Errorf("there are the files %q and %d keys", names, keys)
	}
}
