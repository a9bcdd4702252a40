package mem

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func mapMemory(size int) ([]byte, error) {
	addr, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	// The address is VirtualAlloc's, not the garbage collector's, so that it
	// cannot move; going through a pointer to it is how vet knows.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), size), nil
}

// lockMemory raises the working set's limits first, since VirtualLock allows
// no more than the minimum working set less a small overhead
// (learn.microsoft.com, "VirtualLock function").
func lockMemory(mapped []byte) error {
	const overhead = 16 << 20
	process := windows.CurrentProcess()
	var least, most uintptr
	var flags uint32
	windows.GetProcessWorkingSetSizeEx(process, &least, &most, &flags)
	need := uintptr(len(mapped)) + overhead
	if err := windows.SetProcessWorkingSetSizeEx(process, max(least, need), max(most, need+overhead), 0); err != nil {
		return fmt.Errorf("raising the working set to lock memory: %w", err)
	}
	const step = 1 << 20
	for at := 0; at < len(mapped); at += step {
		if err := windows.VirtualLock(uintptr(unsafe.Pointer(&mapped[at])), uintptr(min(step, len(mapped)-at))); err != nil {
			return fmt.Errorf("locking memory: %w", err)
		}
	}
	return nil
}

func unmapMemory(mapped []byte) error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(&mapped[0])), 0, windows.MEM_RELEASE)
}

// populate has nothing to do: locking has put memory behind the region.
func populate([]byte) {}

// huge has nothing to do: large pages need a privilege that the service does
// not ask for.
func huge([]byte) {}
