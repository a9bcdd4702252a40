package datadir_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
)

func open(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// has checks what files there are and what is in them, "name text, name text".
func has(t *testing.T, d *datadir.Dir, want string) {
	t.Helper()
	names, err := d.Names()
	must(t, err)
	var got []string
	for _, name := range names {
		text, err := d.Read(name, 100)
		must(t, err)
		got = append(got, name+" "+string(text))
	}
	if list := strings.Join(got, ", "); list != want {
		t.Errorf("there is %q, want %q", list, want)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path)
	has(t, d, "")
	must(t, d.Write("b", []byte("first")))
	must(t, d.Write("a", []byte("second")))
	must(t, d.Write("b", []byte("third")))
	has(t, d, "a second, b third")
	if err := d.Rename("a", "b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("renamed over what is there: %v", err)
	}
	must(t, d.Rename("a", "c"))
	must(t, d.Remove("b"))
	must(t, d.Remove("b"))
	has(t, d, "c second")
	if _, err := d.Read("c", 5); err == nil {
		t.Error("too much was read")
	}
	if text, err := d.Read("c", 6); err != nil || string(text) != "second" {
		t.Errorf("read was %q, %v", text, err)
	}
	if _, err := d.Open("b"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	must(t, d.Destroy("c"))
	must(t, d.Destroy("c"))
	must(t, d.Close())
	if names, err := filepath.Glob(filepath.Join(path, "*")); err != nil || len(names) > 0 {
		t.Errorf("left in the directory is %q, %v", names, err)
	}
}

func TestNames(t *testing.T) {
	d := open(t, t.TempDir()+"/data")
	for _, name := range []string{"", ".", "..", "../a", "/a", "a/b", `a\b`, `..\a`, "a:b", "C:a", "a.new"} {
		errs := []error{d.Write(name, nil), d.Remove(name), d.Destroy(name), d.Rename("a", name), d.Rename(name, "a")}
		_, err := d.Open(name)
		for _, err := range append(errs, err) {
			if err == nil || !strings.Contains(err.Error(), "no name for a file") {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// What was not finished is not seen, and gone at the next start.
func TestUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path)
	must(t, d.Write("a", []byte("old")))
	w, err := d.Create("a")
	must(t, err)
	_, err = w.Write([]byte("new"))
	must(t, err)
	must(t, w.Sync())
	has(t, d, "a old")
	w.Abort()
	must(t, d.Close())
	// As a process that was killed leaves it.
	must(t, os.WriteFile(filepath.Join(path, "a.new"), []byte("ne"), 0o600))
	d = open(t, path)
	has(t, d, "a old")
	if names, err := filepath.Glob(filepath.Join(path, "*.new")); err != nil || len(names) > 0 {
		t.Errorf("left in the directory is %q, %v", names, err)
	}
}

func TestWriter(t *testing.T) {
	d := open(t, t.TempDir()+"/data")
	write := func() *datadir.Writer {
		w, err := d.Create("a")
		must(t, err)
		_, err = w.Write([]byte("text"))
		must(t, err)
		return w
	}
	w := write()
	w.Abort()
	w.Abort()
	if _, err := w.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("written after the end: %v", err)
	}
	if err := w.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("committed after the end: %v", err)
	}
	has(t, d, "")
	w = write()
	must(t, w.Commit())
	w.Abort()
	has(t, d, "a text")
	if err := w.Sync(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("synced after the end: %v", err)
	}
}

// What is written while it is synced is there, too, also where it gives way to
// others.
func TestSyncWhileWriting(t *testing.T) {
	d := open(t, t.TempDir()+"/data")
	w, err := d.Create("a")
	must(t, err)
	defer w.Abort()
	w.GiveWay()
	synced := make(chan error)
	for range 20 {
		go func() { synced <- w.Sync() }()
		_, err := w.Write([]byte("text."))
		must(t, err)
		must(t, <-synced)
	}
	must(t, w.Commit())
	has(t, d, "a "+strings.Repeat("text.", 20))
}

// An error of one is an error of all, whoever asks first.
func TestErrorsStay(t *testing.T) {
	disk := faults.New()
	w, err := datadir.On(disk).Create("a")
	must(t, err)
	disk.Fail = faults.Nth(disk.Operations()+1, syscall.EIO)
	for range 2 { // the disk would say no more
		if err := w.Sync(); !errors.Is(err, syscall.EIO) {
			t.Errorf("synced: %v", err)
		}
	}
	if n, err := w.Write([]byte("text")); n != 0 || !errors.Is(err, syscall.EIO) {
		t.Errorf("written: %d, %v", n, err)
	}
	if err := w.Commit(); !errors.Is(err, syscall.EIO) {
		t.Errorf("committed: %v", err)
	}
}

// One process at a time has the directory; the second learns it at once.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path)
	if _, err := datadir.Open(path); !errors.Is(err, datadir.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("opened twice: %v", err)
	}
	must(t, d.Close())
	must(t, open(t, path).Close())
}

func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := datadir.Open(path); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
}

// save replaces a file in four writes with syncs in between, as large ones are
// written.
func save(d *datadir.Dir, text string) error {
	w, err := d.Create("a")
	if err != nil {
		return err
	}
	defer w.Abort()
	for part := range slices.Chunk([]byte(text), len(text)/4) {
		if _, err := w.Write(part); err != nil {
			return err
		}
		if err := w.Sync(); err != nil {
			return err
		}
	}
	return w.Commit()
}

const old, newer = "the old text", "the new one, which is longer"

// saved is a disk with the old text.
func saved(t *testing.T) (*faults.Disk, *datadir.Dir) {
	t.Helper()
	disk := faults.New()
	d := datadir.On(disk)
	must(t, save(d, old))
	return disk, d
}

// Whatever fails, once or from then on: the file is one or the other, what was
// written of it is gone, the error says why, and the next try succeeds. If there was
// no error the new one is on the disk.
func TestFaults(t *testing.T) {
	disk, d := saved(t)
	before := disk.Operations()
	must(t, save(d, newer))
	for n := range disk.Operations() - before {
		for _, failure := range []error{syscall.ENOSPC, syscall.EIO} {
			for name, fail := range map[string]func(int, error) func(faults.Operation) error{"once": faults.Nth, "from then on": faults.From} {
				disk, d := saved(t)
				disk.Fail = fail(before+n+1, failure)
				err := save(d, newer)
				if !errors.Is(err, failure) {
					t.Errorf("%v %s at %d: %v", failure, name, n, err)
				}
				disk.Fail = nil
				if names, err := disk.Names(); err != nil || !slices.Equal(names, []string{"a"}) {
					t.Errorf("%v %s at %d: left is %q, %v", failure, name, n, names, err)
				}
				for seed := range uint64(20) {
					text, err := datadir.On(disk.PowerCut(chance(seed))).Read("a", 100)
					if s := string(text); err != nil || s != old && s != newer {
						t.Fatalf("%v %s at %d: there is %q, %v", failure, name, n, text, err)
					}
				}
				must(t, save(d, newer))
				if text, err := datadir.On(disk.PowerCut(nil)).Read("a", 100); err != nil || string(text) != newer {
					t.Errorf("%v %s at %d: in the end there is %q, %v", failure, name, n, text, err)
				}
			}
		}
	}
}

// A chance for 0 is none: all that was not synced is gone.
func chance(seed uint64) *rand.Rand {
	if seed == 0 {
		return nil
	}
	return rand.New(rand.NewPCG(seed, 0))
}

// The power may be cut at any moment: the file is one or the other, and nothing else
// is left once the directory was opened again.
func TestPowerCut(t *testing.T) {
	disk, d := saved(t)
	before := disk.Operations()
	must(t, save(d, newer))
	operations := disk.Operations() - before
	for seed := range uint64(50) {
		for n := range operations + 1 {
			disk, d := saved(t)
			disk.Fail = stopAt(before + n + 1)
			_ = save(d, newer)
			after := disk.PowerCut(chance(seed))
			text, err := datadir.On(after).Read("a", 100)
			if s := string(text); err != nil || s != old && s != newer || n == operations && s != newer {
				t.Fatalf("cut at %d: there is %q, %v", n, text, err)
			}
			if names, err := after.Names(); err != nil || !slices.Equal(names, []string{"a"}) {
				t.Errorf("cut at %d: left is %q, %v", n, names, err)
			}
		}
	}
}

// stopAt has everything fail from then on, as it does when there is no power.
func stopAt(number int) func(faults.Operation) error {
	return func(o faults.Operation) error {
		if o.Number >= number {
			return errors.New("no power")
		}
		return nil
	}
}

// A disk that fills up byte by byte.
func TestFull(t *testing.T) {
	for space := len(old); space <= len(old)+len(newer); space++ {
		disk, d := saved(t)
		disk.Space = space
		err := save(d, newer)
		want := newer
		if space < len(old)+len(newer) {
			want = old
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%d bytes: %v", space, err)
			}
		}
		if text, err := d.Read("a", 100); err != nil || string(text) != want {
			t.Errorf("%d bytes: there is %q, %v", space, text, err)
		}
	}
}

// What was in a file that is destroyed is written over, whatever name it has.
func TestDestroy(t *testing.T) {
	disk, d := saved(t)
	f, err := disk.Open("a", os.O_RDONLY)
	must(t, err)
	must(t, d.Destroy("a"))
	text := make([]byte, len(old))
	if _, err := f.ReadAt(text, 0); err != nil || bytes.Equal(text, []byte(old)) {
		t.Errorf("there is %q, %v", text, err)
	}
	if names, err := disk.PowerCut(nil).Names(); err != nil || len(names) > 0 {
		t.Errorf("left is %q, %v", names, err)
	}
}

// It is removed also when it cannot be overwritten.
func TestDestroyFaults(t *testing.T) {
	for n := 1; n <= 3; n++ { // open, write, sync
		disk, d := saved(t)
		disk.Fail = faults.Nth(disk.Operations()+n, syscall.EIO)
		if err := d.Destroy("a"); !errors.Is(err, syscall.EIO) {
			t.Errorf("at %d: %v", n, err)
		}
		if names, err := disk.Names(); err != nil || len(names) > 0 {
			t.Errorf("at %d: left is %q, %v", n, names, err)
		}
	}
}
