package persist

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/seal/sealtest"
	"github.com/packetcache/packetcache/internal/vault"
)

// oldOrNew checks what the next start finds: all of the old packets, or all of
// both the old and the new, and nothing wrong with the file.
func oldOrNew(t *testing.T, disk *faults.Disk) (isNew bool) {
	t.Helper()
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	got := contents(r.cache)
	isNew = maps.Equal(got, numbered(0, 2*few))
	if !isNew && !maps.Equal(got, numbered(0, few)) {
		t.Errorf("it holds %d packets, want %d or %d", len(got), few, 2*few)
	}
	r.kill()
	for _, name := range r.log.names() {
		if name != "CacheRestored" && name != "RestoreDied" {
			t.Error(r.log.text(name))
		}
	}
	return isNew
}

// second runs a Keeper on a disk with a sealed cache of the old packets, that has
// the new ones to save as well, and saves.
func second(t *testing.T, disk *faults.Disk) *run {
	t.Helper()
	r := begin(t, disk, cache.MinBytes, manual)
	fill(r.cache, few, few)
	r.ready()
	r.end()
	return r
}

// Whatever goes wrong with whichever operation, from the start to the end of the
// save, once or from then on: it is told, the service goes on, and the next one
// finds the old file or the new.
func TestEveryFault(t *testing.T) {
	start := saved(t, few)
	whole := start.PowerCut(nil)
	second(t, whole)
	operations := whole.Operations()
	for _, kind := range []struct {
		name string
		fail func(n int) func(faults.Operation) error
	}{
		{"EIO once", func(n int) func(faults.Operation) error { return faults.Nth(n, syscall.EIO) }},
		{"read-only from then on", func(n int) func(faults.Operation) error { return faults.From(n, syscall.EROFS) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			for n := 1; n <= operations+1; n += stride {
				t.Run(fmt.Sprint("operation ", n), func(t *testing.T) {
					disk := start.PowerCut(nil)
					disk.Fail = kind.fail(n)
					r := second(t, disk)
					if now := contents(r.cache); len(now) < few {
						t.Errorf("what was captured is not there, but %d packets", len(now))
					}
					disk.Fail = nil
					// A file that could not be read was set aside, and has all of it.
					if strings.Contains(strings.Join(r.log.names(), " "), "FileSetAside") {
						asideKeeps(t, disk)
					} else {
						oldOrNew(t, disk.PowerCut(nil))
					}
				})
			}
		})
	}
}

// asideKeeps checks that a file that was set aside for want of reading it opens.
func asideKeeps(t *testing.T, disk *faults.Disk) {
	t.Helper()
	for _, name := range []string{vault.Name + ".rejected", vault.Name} {
		f, err := disk.Open(name, 0)
		if err != nil {
			continue
		}
		_ = f.Close()
		other := with(t, disk, file(t, disk, name))
		r := begin(t, other, cache.MinBytes, manual)
		r.ready()
		kept := among(t, r.cache, numbered(0, 2*few))
		if r.kill(); kept >= few {
			return
		}
	}
	t.Error("the old packets are in no file")
}

// The disk is full, at any moment.
func TestFullDisk(t *testing.T) {
	start := saved(t, few)
	used := len(file(t, start, vault.Name))
	full := 0
	for space := used + 500; space < 4*used; space += stride * used / 16 {
		t.Run(fmt.Sprint(space, " bytes"), func(t *testing.T) {
			disk := start.PowerCut(nil)
			disk.Space = space
			r := second(t, disk)
			if strings.Contains(strings.Join(r.log.names(), " "), "CacheNotSaved") {
				full++
				if text := r.log.text("CacheNotSaved"); strings.Count(text, "no space left") != 1 {
					t.Errorf("it says %q", text)
				}
			}
			disk.Space = 0
			oldOrNew(t, disk.PowerCut(nil))
		})
	}
	if full == 0 {
		t.Error("the disk was never full")
	}
}

// A failed checkpoint is told once, and so is that the next one has worked.
func TestNotSavedIsToldOnce(t *testing.T) {
	disk := faults.New()
	var full atomic.Bool
	full.Store(true)
	disk.Fail = func(o faults.Operation) error {
		if full.Load() && o.Kind == faults.Write && strings.HasPrefix(o.Name, vault.Name) {
			return syscall.ENOSPC
		}
		return nil
	}
	r := begin(t, disk, cache.MinBytes, Settings{Persist: true, Interval: 1})
	failed := func(s Status) bool { return s.Problem != nil }
	fill(r.cache, 0, few)
	s := r.await("a failed checkpoint", failed)
	if !errors.Is(s.Problem, syscall.ENOSPC) {
		t.Errorf("the problem is %v", s.Problem)
	}
	for i := range 5 {
		fill(r.cache, (1+i)*few, few)
		before := disk.Operations()
		r.await("another try", func(Status) bool { return disk.Operations() > before+5 })
	}
	r.said("CacheNotSaved")
	full.Store(false)
	r.await("a checkpoint", func(s Status) bool { return s.Problem == nil && s.Saved != nil })
	r.said("CacheNotSaved", "CacheSavedAgain")
	r.kill()
}

// A start that died is told at the next one.
func TestDeathIsTold(t *testing.T) {
	disk := saved(t, few)
	v, err := vault.In("/data", datadir.On(disk))
	must(t, err)
	must(t, v.Attempt(2))
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	r.said("RestoreDied", "CacheRestored")
	if text := r.log.text("RestoreDied"); !strings.Contains(text, "went down: 2.") {
		t.Errorf("it says %q", text)
	}
	r.kill()
	if got := v.Attempts(); got != 0 {
		t.Errorf("%d attempts are noted afterwards", got)
	}
}

// The power is cut after any operation: with nothing of what was not synced on the
// disk, or with some.
func TestPowerCut(t *testing.T) {
	start := saved(t, few)
	whole := start.PowerCut(nil)
	second(t, whole)
	found := map[bool]int{}
	for n := 1; n <= whole.Operations()+1; n += stride {
		t.Run(fmt.Sprint("before operation ", n), func(t *testing.T) {
			disk := start.PowerCut(nil)
			cut := errors.New("the power is cut")
			disk.Fail = func(o faults.Operation) error {
				if o.Number >= n {
					return cut
				}
				return nil
			}
			second(t, disk)
			found[oldOrNew(t, disk.PowerCut(nil))]++
			for seed := range uint64(3) {
				found[oldOrNew(t, disk.PowerCut(rand.New(rand.NewPCG(seed, uint64(n)))))]++
			}
		})
	}
	if found[true] == 0 || found[false] == 0 {
		t.Errorf("the old file was found %d times, the new one %d times", found[false], found[true])
	}
}

// damaged starts on a disk whose sealed cache is as given, and checks that it is
// set aside, that of what was in it nothing comes back that is wrong, and that
// nothing else is lost; it returns how many packets came back.
func damaged(t *testing.T, what string, disk *faults.Disk) (n int) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		r := begin(t, disk, cache.MinBytes, manual)
		fill(r.cache, few, 20)
		r.ready()
		all := numbered(0, few+20)
		n = among(t, r.cache, all) - 20
		if now := contents(r.cache); now[string(frame(few+19))] != 1 {
			t.Error("what was captured is not there")
		}
		r.kill()
		events := strings.Join(r.log.names(), " ")
		if !strings.Contains(events, "FileSetAside") || n > 0 && !strings.Contains(events, "CacheRestoredInPart") {
			t.Errorf("the events are %q", events)
		}
	})
	return n
}

// A file that ends anywhere gives what is before, and goes aside.
func TestTruncated(t *testing.T) {
	start := saved(t, few)
	text := file(t, start, vault.Name)
	last := 0
	for end := 0; end < len(text); end += stride * max(1, len(text)/200) {
		n := damaged(t, fmt.Sprint("cut at ", end), with(t, start, text[:end]))
		if n < last {
			t.Errorf("cut at %d there are %d packets, fewer than the %d of a shorter one", end, n, last)
		}
		last = n
	}
	if n := damaged(t, "cut before the last byte", with(t, start, text[:len(text)-1])); n < last || n == 0 {
		t.Errorf("without the last byte there are %d packets", n)
	}
	if damaged(t, "with something behind it", with(t, start, append(bytes.Clone(text), 0))) < last {
		t.Error("with something behind it there is less")
	}
}

// Of a file that ends anywhere around the boundary of a frame or of a chunk, exactly
// that comes back which stands in whole chunks before it.
func TestTruncatedAtEveryBoundary(t *testing.T) {
	start := saved(t, few)
	text := file(t, start, vault.Name)
	layout, err := sealtest.Of(text, keyOf(t, start, text))
	must(t, err)
	places := []int{0, layout.Start}
	for _, f := range layout.Frames {
		places = append(places, layout.Place(f.From), layout.Place(f.To))
	}
	const chunk = 64 << 10 // and in the file behind each its 16 bytes of authenticity
	for at := layout.Place(chunk); at < len(text); at += chunk + 16 {
		places = append(places, at-16, at)
	}
	var ends []int
	for _, at := range places {
		for _, end := range []int{at - 1, at, at + 1} {
			if end >= 0 && end < len(text) {
				ends = append(ends, end)
			}
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	if len(layout.Frames) < 10 || len(ends) < 3*len(layout.Frames) {
		t.Fatalf("the file has %d frames, which give %d places", len(layout.Frames), len(ends))
	}
	for i := 0; i < len(ends); i += stride {
		n := damaged(t, fmt.Sprint("cut at ", ends[i]), with(t, start, text[:ends[i]]))
		if want := layout.Cut(ends[i]); n != want {
			t.Errorf("cut at %d of %d there are %d packets, want %d", ends[i], len(text), n, want)
		}
	}
}

// A flipped bit costs what stands in its chunk, and nothing that is wrong comes back.
func TestFlippedBits(t *testing.T) {
	start := saved(t, few)
	text := file(t, start, vault.Name)
	layout, err := sealtest.Of(text, keyOf(t, start, text))
	must(t, err)
	kept, flips := 0, 0
	for at := 0; at < len(text); at += 1000 * stride {
		wrong := bytes.Clone(text)
		wrong[at] ^= 1 << (at / 1000 % 8)
		n := damaged(t, fmt.Sprint("flipped at ", at), with(t, start, wrong))
		if want := layout.Flipped(at); n != want {
			t.Errorf("flipped at %d of %d there are %d packets, want %d", at, len(text), n, want)
		}
		kept += n
		flips++
	}
	if kept < flips*few/3 {
		t.Errorf("of %d times %d packets only %d came back", flips, few, kept)
	}
}

// Files that are not ours are kept, and said why.
func TestForeignFiles(t *testing.T) {
	here, there := saved(t, few), saved(t, few)
	text := file(t, here, vault.Name)
	for name, test := range map[string]struct {
		text   []byte
		says   string
		events string
	}{
		"another machine's": {file(t, there, vault.Name), "its key cannot be had", "KeyLost FileSetAside"},
		"a later version's": {bytes.Replace(text, []byte("-> packetcache 1 "), []byte("-> packetcache 2 "), 1), "version 2", "FileSetAside"},
		"no sealed cache":   {[]byte("something else"), "not a sealed cache", "FileSetAside"},
		"empty":             {nil, "", "FileSetAside"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := with(t, here, test.text)
			r := begin(t, disk, cache.MinBytes, manual)
			fill(r.cache, 0, few)
			s := r.ready()
			if len(s.SetAside) != 1 || s.Restored != nil {
				t.Errorf("status %+v", s)
			}
			r.end()
			if got := strings.Join(r.log.names(), " "); got != test.events+" CacheSaved" {
				t.Errorf("the events are %q", got)
			}
			if text := r.log.text("FileSetAside"); !strings.Contains(text, test.says) {
				t.Errorf("it says %q", text)
			}
			if got := file(t, disk, vault.Name+".rejected"); !bytes.Equal(got, test.text) {
				t.Error("the file that was set aside is another")
			}
		})
	}
}
