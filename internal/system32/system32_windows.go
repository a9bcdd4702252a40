package system32

import (
	"syscall"
	"unsafe"
)

// searchSystem32 is LOAD_LIBRARY_SEARCH_SYSTEM32 (learn.microsoft.com,
// "SetDefaultDllDirectories function").
const searchSystem32 = 0x800

// A program that runs with all rights had better not start when it cannot
// tell what it would load. No Windows that Go runs on fails here.
func init() {
	kernel32 := syscall.NewLazyDLL("kernel32.dll") // which every process has loaded
	if ok, _, err := kernel32.NewProc("SetDefaultDllDirectories").Call(searchSystem32); ok == 0 {
		panic("restricting where DLLs are loaded from: SetDefaultDllDirectories: " + err.Error())
	}
	// What still searches the old way does not look in the current directory.
	var empty uint16
	if ok, _, err := kernel32.NewProc("SetDllDirectoryW").Call(uintptr(unsafe.Pointer(&empty))); ok == 0 {
		panic("restricting where DLLs are loaded from: SetDllDirectory: " + err.Error())
	}
}
