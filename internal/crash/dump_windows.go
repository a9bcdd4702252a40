package crash

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// KeepMemory has Windows Error Reporting leave memory out of what it collects of
// this process when it crashes ("WerSetFlags function" on learn.microsoft.com). It
// does not come to that where Go's runtime sees the crash, which ends the process by
// itself (SEM_NOGPFAULTERRORBOX); a library that finds its memory damaged may end the
// process without asking anybody.
func KeepMemory() error {
	const noHeap = 1 // WER_FAULT_REPORTING_FLAG_NOHEAP
	kernel32 := windows.NewLazySystemDLL("kernel32.dll")
	get, set := kernel32.NewProc("WerGetFlags"), kernel32.NewProc("WerSetFlags")
	if err := errors.Join(get.Find(), set.Find()); err != nil {
		return err
	}
	var flags uint32
	if result, _, _ := get.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&flags))); failed(result) {
		flags = 0 // as a process begins
	}
	if result, _, _ := set.Call(uintptr(flags | noHeap)); failed(result) {
		return fmt.Errorf("leaving memory out of error reports (WerSetFlags): %w", windows.Errno(result))
	}
	return nil
}

// failed reports whether an HRESULT is an error.
func failed(result uintptr) bool { return int32(result) < 0 }
