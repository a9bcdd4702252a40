package vault_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/keystore"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path)
	must(t, err)
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func on(t *testing.T, disk *faults.Disk) *vault.Vault {
	t.Helper()
	v, err := vault.In("/data", datadir.On(disk))
	must(t, err)
	return v
}

// save writes a sealed cache without packets.
func save(t *testing.T, v *vault.Vault) *keystore.Key {
	t.Helper()
	key, err := v.NewKey()
	must(t, err)
	file, err := v.Create()
	must(t, err)
	defer file.Abort()
	w, err := seal.NewWriter(file, key.Name, []age.Recipient{key.Recipient}, &seal.Head{Saved: time.Now()})
	must(t, err)
	must(t, w.Close(seal.End{}))
	must(t, file.Commit())
	return key
}

func has(t *testing.T, v *vault.Vault, key *keystore.Key, want bool) {
	t.Helper()
	if _, err := v.Key(key.Name); (err == nil) != want {
		t.Errorf("key %.10s: %v, want %t", key.Name, err, want)
	}
}

// A key stays as long as a file needs it.
func TestKeysOfFiles(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "data"))
	aside := save(t, v)
	name, err := v.SetAside()
	must(t, err)
	if _, err := v.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is still a file: %v", err)
	}
	old := save(t, v)
	unused, err := v.NewKey()
	must(t, err)
	current, err := v.NewKey()
	must(t, err)
	must(t, v.DestroyKeys(current.Name))
	has(t, v, aside, true)
	has(t, v, old, true)
	has(t, v, unused, false)
	has(t, v, current, true)
	next := save(t, v)
	must(t, v.DestroyKeys(next.Name))
	has(t, v, old, false)
	has(t, v, aside, true)
	if again, err := v.SetAside(); err != nil || again == name {
		t.Errorf("set aside as %s, %v", again, err)
	}
	if got, err := v.Rejected(); err != nil || len(got) != 2 || got[0] != name {
		t.Errorf("set aside are %q, %v", got, err)
	}
	has(t, v, next, true)
}

// As long as it is not known to whom a file was sealed, no key is destroyed. What
// is no sealed cache names none.
func TestKeysOfUnreadableFiles(t *testing.T) {
	disk := faults.New()
	v := on(t, disk)
	key := save(t, v)
	disk.Fail = func(o faults.Operation) error {
		if o.Kind == faults.Read && o.Name == vault.Name {
			return syscall.EIO
		}
		return nil
	}
	if err := v.DestroyKeys(""); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	disk.Fail = nil
	has(t, v, key, true)
	dir := datadir.On(disk)
	must(t, dir.Write(vault.Name, []byte("something else")))
	must(t, v.DestroyKeys(""))
	has(t, v, key, false)
}

func TestAttempts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	v := open(t, path)
	for n := range 3 {
		if got := v.Attempts(); got != n {
			t.Errorf("%d attempts, want %d", got, n)
		}
		must(t, v.Attempt(n+1))
	}
	must(t, v.Arrived())
	must(t, v.Arrived())
	if got := v.Attempts(); got != 0 {
		t.Errorf("%d attempts afterwards", got)
	}
	for _, text := range []string{"", "-5", "many", strings.Repeat("9", 100)} {
		must(t, os.WriteFile(v.Path("restoring"), []byte(text), 0o600))
		if got := v.Attempts(); got != 0 {
			t.Errorf("%d attempts from %q", got, text)
		}
	}
}

func TestWipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if removed, err := vault.Wipe(path); err != nil || removed != nil {
		t.Errorf("removed %q where there is nothing, %v", removed, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("wiping has made the directory: %v", err)
	}
	v, err := vault.Open(path)
	must(t, err)
	save(t, v)
	name, err := v.SetAside()
	must(t, err)
	save(t, v)
	must(t, v.Attempt(1))
	must(t, os.WriteFile(v.Path("crash.txt"), nil, 0o600))
	if _, err := vault.Wipe(path); !errors.Is(err, datadir.ErrInUse) {
		t.Errorf("wiped a directory in use: %v", err)
	}
	must(t, v.Close())
	removed, err := vault.Wipe(path)
	must(t, err)
	if want := []string{v.Path(vault.Name), v.Path(name)}; !slices.Equal(removed, want) {
		t.Errorf("removed %q, want %q", removed, want)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 || entries[0].Name() != "crash.txt" {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// What can be removed is, and the error tells of the rest.
func TestWipeFails(t *testing.T) {
	disk := faults.New()
	v := on(t, disk)
	key := save(t, v)
	disk.Fail = func(o faults.Operation) error {
		if o.Kind == faults.Remove && o.Name == vault.Name {
			return syscall.EROFS
		}
		return nil
	}
	if removed, err := v.Wipe(); !errors.Is(err, syscall.EROFS) || len(removed) != 0 {
		t.Errorf("removed %q, %v", removed, err)
	}
	disk.Fail = nil
	has(t, v, key, false)
}
