package cache

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// processorTime is how long this machine's processors have been idle and how
// long there have been any, in units of 100 ns; 0 if that is not known
// (GetSystemTimes: the kernel's time contains the idle one).
func processorTime() (idle, total uint64) {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemTimes")
	if call.Find() != nil {
		return 0, 0
	}
	var at, kernel, user windows.Filetime
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user))); ok == 0 {
		return 0, 0
	}
	number := func(t windows.Filetime) uint64 { return uint64(t.HighDateTime)<<32 | uint64(t.LowDateTime) }
	return number(at), number(kernel) + number(user)
}
