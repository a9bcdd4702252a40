package datadir

import (
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A newFile is one of the disk that is being written.
type newFile struct {
	*os.File
	gives atomic.Bool
}

func (f *newFile) giveWay() { f.gives.Store(true) }

// Sync implements File. What was written goes to the disk by the thread that asks
// for that, for the most part, so it is its priority that counts.
func (f *newFile) Sync() error {
	if f.gives.Load() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer lowerPriority()()
	}
	return f.File.Sync()
}

// Of ioprio_set(2).
const (
	whoProcess = 1 // of the thread, by its number; 0: this one
	classShift = 13
	classNone  = 0
	classBest  = 2 // "best effort", which those have who ask for nothing
	// lowest is the least of that class. In the one below, idle, a write might wait
	// as long as others keep the disk busy, and a stop for it.
	lowest = classBest<<classShift | 7
)

// lowerPriority has what this thread asks of the disk wait for others, and returns
// what ends that. Which devices heed it depends on their scheduler (BFQ and
// mq-deadline do). It has no say in when the thread runs.
func lowerPriority() (restore func()) {
	before, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, whoProcess, 0, 0)
	if class := before >> classShift; errno != 0 || class != classNone && class != classBest {
		return func() {}
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, lowest); errno != 0 {
		return func() {}
	}
	return func() { _, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, before) }
}
