package datadir

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func priority(t *testing.T) uintptr {
	t.Helper()
	now, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, whoProcess, 0, 0)
	if errno != 0 {
		t.Skip(errno)
	}
	return now
}

// While it is lowered it is the lowest of its class, and then what it was.
func TestLowerPriority(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := priority(t)
	restore := lowerPriority()
	if got := priority(t); got != lowest {
		t.Errorf("lowered it is %#x", got)
	}
	restore()
	if got := priority(t); got != before {
		t.Errorf("afterwards it is %#x, was %#x", got, before)
	}
	// Somebody has chosen it to be idle (ionice -c 3): it stays.
	const idle = 3 << classShift
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, idle); errno != 0 {
		t.Fatal(errno)
	}
	restore = lowerPriority()
	if got := priority(t); got != idle {
		t.Errorf("of an idle thread it became %#x", got)
	}
	restore()
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, before); errno != 0 {
		t.Fatal(errno)
	}
}
