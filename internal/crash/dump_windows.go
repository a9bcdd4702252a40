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
		return fmt.Errorf("leaving memory out of error reports (WerSetFlags): %w", reason(result))
	}
	return nil
}

// Exclude puts a program, "packetcache.exe", on the list of those that Windows Error
// Reporting is not to concern itself with, for all users: the service's account is
// not that of who installs it. It takes an administrator.
func Exclude(program string) error { return exclusion("WerAddExcludedApplication", program) }

// Include takes the program off that list; that it is not there is no error.
func Include(program string) error {
	err := exclusion("WerRemoveExcludedApplication", program)
	if !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil // then it is not there
	}
	return err
}

func exclusion(function, program string) error {
	name, err := windows.UTF16PtrFromString(program)
	if err != nil {
		return err
	}
	call := windows.NewLazySystemDLL("wer.dll").NewProc(function)
	if err := call.Find(); err != nil {
		return err
	}
	const allUsers = 1
	if result, _, _ := call.Call(uintptr(unsafe.Pointer(name)), allUsers); failed(result) {
		return fmt.Errorf("list of programs without error reports (%s): %w", function, reason(result))
	}
	return nil
}

// failed reports whether an HRESULT is an error.
func failed(result uintptr) bool { return int32(result) < 0 }

// reason is the error of Windows that an HRESULT stands for, or itself.
func reason(result uintptr) error {
	const facilityWin32 = 0x80070000
	if uint32(result)&0xffff0000 == facilityWin32 {
		return windows.Errno(result & 0xffff)
	}
	return windows.Errno(uint32(result))
}
