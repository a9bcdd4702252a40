package npcap

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// place puts a wpcap.dll with the contents into a directory.
func place(t *testing.T, dir string, contents []byte, at time.Time) {
	t.Helper()
	path := filepath.Join(dir, "wpcap.dll")
	if err := os.WriteFile(path, contents, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// Whatever stands in place of Npcap is a reason not to use it, and no more.
func TestUnusable(t *testing.T) {
	n := &Npcap{dir: t.TempDir()}
	if _, err := n.Devices(); !errors.Is(err, ErrNotInstalled) || !n.Installed().IsZero() {
		t.Errorf("without a file: %v, installed at %v", err, n.Installed())
	}
	place(t, n.dir, []byte("no program"), time.Unix(1e9, 0))
	_, first := n.Devices()
	if first == nil || !strings.Contains(first.Error(), "cannot load "+filepath.Join(n.dir, "wpcap.dll")) {
		t.Errorf("with a file that is no library: %v", first)
	}
	if _, again := n.Devices(); !errors.Is(again, first) {
		t.Errorf("it was tried again without a change: %v", again)
	}
	if _, err := n.Open(Config{}); !errors.Is(err, first) {
		t.Errorf("Open: %v", err)
	}

	n = &Npcap{dir: t.TempDir()}
	place(t, n.dir, emptyDLL(), time.Unix(2e9, 0))
	if _, err := n.Devices(); err == nil || !strings.Contains(err.Error(), "wpcap.dll has no pcap_") {
		t.Errorf("with another library: %v", err)
	}
	if err := os.Remove(filepath.Join(n.dir, "wpcap.dll")); err != nil {
		t.Errorf("the library is still in use: %v", err)
	}
	if _, err := n.Devices(); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("after it was removed: %v", err)
	}
}

// What was loaded is not used once Npcap is removed, and again when it is back.
func TestRemovedAndBack(t *testing.T) {
	n, err := New()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := n.library()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	installed := n.dir
	n.dir = t.TempDir()
	if _, err := n.library(); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("removed: %v", err)
	}
	n.dir = installed
	if back, err := n.library(); back != lib || err != nil {
		t.Errorf("back: %v", err)
	}
	devices, err := n.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for key, name := range devices {
		if k, ok := deviceKey(name); !ok || k != key {
			t.Errorf("device %q stands under %q", name, key)
		}
	}
}

// What a function is given a pointer to stays where it is, though Go moves the
// stack of a goroutine when it gets too small.
func TestCallWithPointers(t *testing.T) {
	kernel32, err := windows.LoadLibraryEx("kernel32.dll", 0, windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	if err != nil {
		t.Fatal(err)
	}
	counter, err := windows.GetProcAddress(kernel32, "QueryPerformanceCounter")
	if err != nil {
		t.Fatal(err)
	}
	for depth := range 1000 {
		answer := make(chan int64)
		go func() { answer <- callBelow(depth, counter) }()
		if <-answer == 0 {
			t.Fatalf("below %d frames the answer does not come back", depth)
		}
	}
}

// callBelow calls QueryPerformanceCounter below so many frames.
//
//go:noinline
func callBelow(depth int, counter uintptr) (n int64) {
	if depth > 0 {
		return callBelow(depth-1, counter)
	}
	call(counter, uintptr(unsafe.Pointer(&n)))
	return n
}
