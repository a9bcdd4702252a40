package crash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/guard"
)

// most is how many bytes of what was printed are kept. Most of what a panic prints
// is the stack of one goroutine, a few KiB; a fault outside of Go prints all.
const most = 256 << 10

// Watch has whatever the runtime prints go to a file in the directory dir, which
// is made for administrators alone if need be, and returns what the last crash
// has left there, if there was one. It is to be ended when the service ends in
// order, which leaves nothing behind that was not there.
//
// The runtime asks for the handle of standard error each time that it prints.
// debug.SetCrashOutput would miss faults outside of Go, such as in wpcap.dll.
// Neither prints the memory that packets are in: of what functions work with,
// numbers such as addresses and lengths.
func Watch(dir string) (last *Report, end func(), err error) {
	if err := guard.MakeDirectory(dir); err != nil {
		return nil, nil, err
	}
	running := filepath.Join(dir, Running)
	last, err = collect(running, filepath.Join(dir, Last))
	if err != nil {
		return nil, nil, err
	}
	before, err := windows.GetStdHandle(windows.STD_ERROR_HANDLE)
	if err != nil {
		return last, nil, fmt.Errorf("standard error: %w", err)
	}
	file, err := os.OpenFile(running, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return last, nil, err
	}
	restore := func() {
		_ = windows.SetStdHandle(windows.STD_ERROR_HANDLE, before)
		_ = file.Close()
		_ = os.Remove(running)
		_ = os.Remove(dir) // if nothing else is in it
	}
	if err := windows.SetStdHandle(windows.STD_ERROR_HANDLE, windows.Handle(file.Fd())); err != nil {
		restore()
		return last, nil, fmt.Errorf("standard error: %w", err)
	}
	return last, restore, nil
}

// collect puts what was printed aside and reads it; nil if nothing was.
func collect(from, to string) (*Report, error) {
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there was no crash
	} else if err != nil {
		return nil, err
	}
	if info.Size() == 0 { // it was killed, or the machine lost its power
		return nil, os.Remove(from)
	}
	if err := os.Rename(from, to); err != nil {
		return nil, err
	}
	if err := os.Truncate(to, min(info.Size(), most)); err != nil {
		return nil, err
	}
	file, err := os.Open(to)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	trace, err := io.ReadAll(io.LimitReader(file, most))
	return &Report{Time: info.ModTime(), Path: to, Trace: string(trace)}, err
}
