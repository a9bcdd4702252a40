package mem

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapMemory(size int) ([]byte, error) {
	mapped, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	// Hints: a kernel without them serves as well.
	_ = unix.Madvise(mapped, unix.MADV_DONTDUMP)
	_ = unix.Madvise(mapped, unix.MADV_DONTFORK)
	// Small pages: they are there at once, where a huge one has to be found and
	// cleared as a whole, which takes milliseconds in a virtual machine whose
	// host has to find the memory in turn. See Huge.
	_ = unix.Madvise(mapped, unix.MADV_NOHUGEPAGE)
	return mapped, nil
}

// lockMemory locks pages as they are first touched (mlock2(2) with
// MLOCK_ONFAULT): locking gigabytes at once would take seconds at start and
// all the memory before a packet is seen.
func lockMemory(mapped []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), unix.MLOCK_ONFAULT)
	switch {
	case errno == 0:
		return nil
	case errors.Is(errno, unix.ENOMEM), errors.Is(errno, unix.EPERM), errors.Is(errno, unix.EAGAIN):
		return fmt.Errorf("locking memory: %w (raise RLIMIT_MEMLOCK or grant CAP_IPC_LOCK)", errno)
	default:
		return fmt.Errorf("locking memory: %w", errno)
	}
}

func huge(part []byte) {
	if part = wholePages(part); len(part) > 0 {
		_ = unix.Madvise(part, unix.MADV_HUGEPAGE)
	}
}

// wholePages leaves out what stands on a page with other things.
func wholePages(part []byte) []byte {
	page := unix.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(&part[0]))) & (page - 1)
	if skip >= len(part) {
		return nil
	}
	return part[skip : skip+(len(part)-skip)&^(page-1)]
}

func unmapMemory(mapped []byte) error { return unix.Munmap(mapped) }

// populate uses MADV_POPULATE_WRITE (Linux 5.14).
func populate(part []byte) {
	if part = wholePages(part); len(part) > 0 {
		_ = unix.Madvise(part, unix.MADV_POPULATE_WRITE)
	}
}
