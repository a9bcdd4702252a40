package keystore_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/keystore"
)

// A store is one in a directory, which stays between two opens.
func open(t *testing.T, path string) *keystore.Store {
	t.Helper()
	d, err := datadir.Open(path)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	s, err := keystore.Open(d)
	must(t, err)
	return s
}

// on is a store on a disk for tests.
func on(t *testing.T, disk *faults.Disk) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(datadir.On(disk))
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// opens checks that a key opens what was sealed to another: the same, if all is well.
func opens(t *testing.T, k, sealedTo *keystore.Key) {
	t.Helper()
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, sealedTo.Recipient)
	must(t, err)
	_, err = io.WriteString(w, "packets")
	must(t, err)
	must(t, w.Close())
	r, err := age.Decrypt(&sealed, k.Identity)
	must(t, err)
	if text, err := io.ReadAll(r); err != nil || string(text) != "packets" {
		t.Errorf("it reads %q, %v", text, err)
	}
}

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	first, err := s.New()
	must(t, err)
	second, err := s.New()
	must(t, err)
	want := []string{first.Name, second.Name}
	slices.Sort(want)
	if names, err := s.Names(); err != nil || !slices.Equal(names, want) {
		t.Errorf("there are %q, %v, want %q", names, err, want)
	}
	found, err := s.Find(first.Name)
	must(t, err)
	opens(t, found, first)
	must(t, s.Destroy(first.Name))
	must(t, s.Destroy(first.Name))
	if _, err := s.Find(first.Name); !errors.Is(err, keystore.ErrNotFound) || !strings.Contains(err.Error(), first.Name) {
		t.Errorf("found after it was destroyed: %v", err)
	}
	found, err = s.Find(second.Name)
	must(t, err)
	opens(t, found, second)
	if names, err := s.Names(); err != nil || !slices.Equal(names, []string{second.Name}) {
		t.Errorf("there are %q, %v", names, err)
	}
}

// A name may come from a foreign file: whatever it is, it leads to no other file.
func TestForeignNames(t *testing.T) {
	disk := faults.New()
	s := on(t, disk)
	k, err := s.New()
	must(t, err)
	d := datadir.On(disk)
	must(t, d.Write("other.key", []byte("x")))
	must(t, d.Write("age1.key", []byte("x")))
	for _, name := range []string{
		"", "age1", "other", "../" + k.Name, k.Name + ".key", strings.ToUpper(k.Name), " " + k.Name, k.Name + "\n",
		"age1" + strings.Repeat("q", 58), "AGE-SECRET-KEY-1" + strings.Repeat("Q", 58), strings.Repeat("age1", 1<<16),
	} {
		if _, err := s.Find(name); !errors.Is(err, keystore.ErrNotFound) {
			t.Errorf("%.80q: %v", name, err)
		}
		if err := s.Destroy(name); err == nil {
			t.Errorf("%.80q was destroyed", name)
		}
	}
	if names, err := s.Names(); err != nil || !slices.Equal(names, []string{k.Name}) {
		t.Errorf("there are %q, %v", names, err)
	}
	if names, err := d.Names(); err != nil || len(names) != 3 {
		t.Errorf("left are %q, %v", names, err)
	}
}

// What is wrong with a file is said, and the key can be destroyed.
func TestDamagedFiles(t *testing.T) {
	disk := faults.New()
	s, d := on(t, disk), datadir.On(disk)
	k, err := s.New()
	must(t, err)
	other, err := s.New()
	must(t, err)
	whole, err := d.Read(k.Name+".key", 1<<16)
	must(t, err)
	foreign, err := d.Read(other.Name+".key", 1<<16)
	must(t, err)
	damage := map[string][]byte{
		"empty":     {},
		"a byte":    {1},
		"cut":       whole[:len(whole)/2],
		"another's": foreign,
		"zeros":     make([]byte, len(whole)),
		"large":     bytes.Repeat([]byte("A"), 20_000),
		"text":      []byte("AGE-SECRET-KEY-1\n"),
	}
	for name, data := range damage {
		must(t, d.Write(k.Name+".key", data))
		_, err := s.Find(k.Name)
		if err == nil || errors.Is(err, keystore.ErrNotFound) || !strings.Contains(err.Error(), k.Name) {
			t.Errorf("%.100q: %v", name, err)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%.100q: the error tells the key: %v", name, err)
		}
	}
	if names, err := s.Names(); err != nil || len(names) != 2 {
		t.Errorf("there are %q, %v", names, err)
	}
	must(t, s.Destroy(k.Name))
	if _, err := s.Find(other.Name); err != nil {
		t.Error(err)
	}
}

// A bit that has changed is found, or does not matter.
func TestFlippedBits(t *testing.T) {
	disk := faults.New()
	s, d := on(t, disk), datadir.On(disk)
	k, err := s.New()
	must(t, err)
	whole, err := d.Read(k.Name+".key", 1<<16)
	must(t, err)
	refused := 0
	for at := range 8 * len(whole) {
		flipped := bytes.Clone(whole)
		flipped[at/8] ^= 1 << (at % 8)
		must(t, d.Write(k.Name+".key", flipped))
		if found, err := s.Find(k.Name); err == nil {
			opens(t, found, k)
		} else {
			refused++
		}
	}
	if refused < 4*len(whole) {
		t.Errorf("%d of %d were refused", refused, 8*len(whole))
	}
}

// A key that New has returned outlives a power cut, and if it fails none is left.
func TestNewFaults(t *testing.T) {
	disk := faults.New()
	k, err := on(t, disk).New()
	must(t, err)
	operations := disk.Operations()
	found, err := on(t, disk.PowerCut(nil)).Find(k.Name)
	must(t, err)
	opens(t, found, k)
	for n := 2; n <= operations; n++ { // 1: those that look at the directory when it is opened
		for _, failure := range []error{syscall.ENOSPC, syscall.EIO} {
			disk := faults.New()
			s := on(t, disk)
			disk.Fail = faults.Nth(n, failure)
			if _, err := s.New(); !errors.Is(err, failure) {
				t.Errorf("%v at %d: %v", failure, n, err)
			}
			disk.Fail = nil
			names, err := disk.Names()
			for _, name := range names {
				if !strings.HasSuffix(name, ".key") {
					t.Errorf("%v at %d: left is %q, %v", failure, n, names, err)
				}
			}
		}
	}
}

// A key that was destroyed does not come back with the power.
func TestDestroyed(t *testing.T) {
	disk := faults.New()
	s := on(t, disk)
	k, err := s.New()
	must(t, err)
	must(t, s.Destroy(k.Name))
	if _, err := on(t, disk.PowerCut(nil)).Find(k.Name); !errors.Is(err, keystore.ErrNotFound) {
		t.Error(err)
	}
	disk.Fail = faults.From(1, syscall.EIO)
	if err := s.Destroy(k.Name); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
}

// The text of a key is in no file that others may read, and on Windows in none.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	k, err := open(t, path).New()
	must(t, err)
	data, err := os.ReadFile(filepath.Join(path, k.Name+".key"))
	must(t, err)
	plain := bytes.Contains(data, []byte("AGE-SECRET-KEY-1"))
	if windows := filepath.Separator == '\\'; windows == plain {
		t.Errorf("the file is %q", data)
	}
}

// Whatever is in the file of a key, there is a key or an error.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQXUMRVU\n"))
	f.Add([]byte("age-encryption.org/v1\n-> X25519 AAAA\nBBBB\n--- CCCC\nx"))
	f.Add([]byte("\x01\x00\x00\x00\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\x00\xc0\x4f\xc2\x97\xeb"))
	disk := faults.New()
	d := datadir.On(disk)
	s, err := keystore.Open(d)
	must(f, err)
	k, err := s.New()
	must(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		must(t, d.Write(k.Name+".key", data))
		if _, err := s.Find(k.Name); err == nil {
			t.Errorf("a key that nobody knows was found in %q", data)
		}
	})
}
