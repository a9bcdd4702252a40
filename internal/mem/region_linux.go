package mem

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserveMemory maps pages that cannot be used, which count against no limit
// but that of address space.
func reserveMemory(size int) ([]byte, error) {
	reserved, err := unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	// Hints: a kernel without them serves as well.
	_ = unix.Madvise(reserved, unix.MADV_DONTDUMP)
	_ = unix.Madvise(reserved, unix.MADV_DONTFORK)
	// Small pages: they are there at once, where a huge one has to be found and
	// cleared as a whole, which takes milliseconds in a virtual machine whose
	// host has to find the memory in turn. See Huge.
	_ = unix.Madvise(reserved, unix.MADV_NOHUGEPAGE)
	return reserved, nil
}

func releaseMemory(reserved []byte) error { return unix.Munmap(reserved) }

// commitMemory makes pages usable and has them locked as they are first
// touched (mlock2(2) with MLOCK_ONFAULT): locking gigabytes at once would take
// seconds at start and all the memory before a packet is seen.
func commitMemory(part []byte) (lock, err error) {
	if err := unix.Mprotect(part, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return nil, err
	}
	return lockMemory(part), nil
}

func lockMemory(part []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&part[0])), uintptr(len(part)), unix.MLOCK_ONFAULT)
	switch {
	case errno == 0:
		return nil
	case errors.Is(errno, unix.ENOMEM), errors.Is(errno, unix.EPERM), errors.Is(errno, unix.EAGAIN):
		return fmt.Errorf("locking memory: %w (raise RLIMIT_MEMLOCK or grant CAP_IPC_LOCK)", errno)
	default:
		return fmt.Errorf("locking memory: %w", errno)
	}
}

// decommitMemory gives pages back. They must not be locked then: see "EINVAL"
// in madvise(2), MADV_DONTNEED.
func decommitMemory(part []byte) error {
	_ = unix.Munlock(part) // if it matters, the next call says so
	if err := unix.Madvise(part, unix.MADV_DONTNEED); err != nil {
		return err
	}
	_ = unix.Madvise(part, unix.MADV_NOHUGEPAGE) // as they were reserved
	return unix.Mprotect(part, unix.PROT_NONE)
}

// limitMemory has nothing to do: how much may be locked is not ours to say.
func limitMemory(_, _ int) error { return nil }

// populateMemory uses MADV_POPULATE_WRITE (Linux 5.14). Most are to be locked
// already, by which populating locks them.
func populateMemory(part []byte, lock bool) (err error) {
	if lock {
		err = lockMemory(part)
	}
	_ = unix.Madvise(part, unix.MADV_POPULATE_WRITE) // a hint
	return err
}

func hugePages(part []byte) { _ = unix.Madvise(part, unix.MADV_HUGEPAGE) }
