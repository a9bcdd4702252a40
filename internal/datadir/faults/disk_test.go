package faults

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/datadir"
)

// put writes a file, without a sync.
func put(t *testing.T, d *Disk, name, text string) datadir.File {
	t.Helper()
	f, err := d.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	return f
}

// content is what a file has, "-" if there is none.
func content(t *testing.T, d *Disk, name string) string {
	t.Helper()
	f, err := d.Open(name, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return "-"
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is there after a power cut is what was synced, and its name is there if the
// directory was.
func TestPowerCut(t *testing.T) {
	d := New()
	f := put(t, d, "a", "first")
	check := func(a, b string) {
		t.Helper()
		after := d.PowerCut(nil)
		if gotA, gotB := content(t, after, "a"), content(t, after, "b"); gotA != a || gotB != b {
			t.Errorf("a has %q and b %q, want %q and %q", gotA, gotB, a, b)
		}
	}
	check("-", "-")
	must(t, d.Sync())
	check("", "-")
	must(t, f.Sync())
	check("first", "-")
	_, err := io.WriteString(f, " second")
	must(t, err)
	must(t, d.Replace("a", "b"))
	check("first", "-")
	must(t, d.Sync())
	check("-", "first")
	must(t, d.Remove("b"))
	check("-", "first")
	must(t, d.Sync())
	check("-", "-")
}

// With chance there is some of the rest, and all of what was synced.
func TestPowerCutByChance(t *testing.T) {
	d := New()
	f := put(t, d, "a", "first")
	must(t, f.Sync())
	must(t, d.Sync())
	_, err := io.WriteString(f, " second")
	must(t, err)
	must(t, d.Replace("a", "b"))
	found := map[string]bool{}
	for seed := range uint64(1000) {
		after := d.PowerCut(rand.New(rand.NewPCG(seed, 0)))
		a, b := content(t, after, "a"), content(t, after, "b")
		if (a == "-") == (b == "-") {
			t.Fatalf("a has %q and b %q", a, b)
		}
		found[a+b] = true
	}
	for _, text := range []string{"-first second", "first second-", "-first", "first-"} {
		if !found[text] {
			t.Errorf("never found: %q", text)
		}
	}
}

// Half of a write that fails is there, and a sync that failed has lost it.
func TestFailures(t *testing.T) {
	d := New()
	f := put(t, d, "a", "first")
	must(t, f.Sync())
	must(t, d.Sync())
	d.Fail = Nth(d.Operations()+1, syscall.EIO)
	if n, err := io.WriteString(f, "abcd"); n != 2 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%d bytes written, %v", n, err)
	}
	d.Fail = Nth(d.Operations()+1, syscall.EIO)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	must(t, f.Sync())
	if now, after := content(t, d, "a"), content(t, d.PowerCut(nil), "a"); now != "firstab" || after != "first" {
		t.Errorf("there is %q, and after a power cut %q", now, after)
	}
	d.Fail = From(1, syscall.EROFS)
	if _, err := d.Create("b"); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	must(t, d.Remove("a"))
}

func TestFull(t *testing.T) {
	d := New()
	d.Space = 7
	f := put(t, d, "a", "first")
	if n, err := io.WriteString(f, "abcd"); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d bytes written, %v", n, err)
	}
	again, err := d.Open("a", os.O_RDWR) // over what is there
	must(t, err)
	_, err = io.WriteString(again, "second!")
	must(t, err)
	must(t, d.Remove("a"))
	put(t, d, "b", "seventh")
}
