package mem

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func reserveMemory(size int) ([]byte, error) {
	addr, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	if err != nil {
		return nil, err
	}
	// The address is VirtualAlloc's, not the garbage collector's, so that it
	// cannot move; going through a pointer to it is how vet knows.
	reserved := unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), size)
	excludeMemory(reserved, "WerRegisterExcludedMemoryBlock")
	return reserved, nil
}

// excludeStep is how much is left out of error reports in one call, which counts in
// 32 bits. There may be 512 such blocks.
const excludeStep = 1 << 31

// excludeMemory has Windows Error Reporting leave memory out of what it collects when
// the process crashes, or ends that. It is a hint: Windows 10 before version 1703 does
// not know it.
func excludeMemory(reserved []byte, function string) {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc(function)
	if call.Find() != nil {
		return
	}
	for at := 0; at < len(reserved); at += excludeStep {
		block := reserved[at:min(at+excludeStep, len(reserved))]
		_, _, _ = call.Call(address(block), uintptr(len(block))) // to end it, the address is enough
	}
}

func address(part []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(part))) }

func releaseMemory(reserved []byte) error {
	excludeMemory(reserved, "WerUnregisterExcludedMemoryBlock")
	return windows.VirtualFree(address(reserved), 0, windows.MEM_RELEASE)
}

// commitMemory makes pages usable. They count against what the machine has in
// RAM and page files from now on, and take RAM as they are touched.
func commitMemory(part []byte) (lock, err error) {
	_, err = windows.VirtualAlloc(address(part), uintptr(len(part)), windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return nil, err
}

// decommitMemory gives pages back, for which they must not stay locked; those
// that are not locked VirtualUnlock refuses.
func decommitMemory(part []byte) error {
	_ = windows.VirtualUnlock(address(part), uintptr(len(part)))
	return windows.VirtualFree(address(part), uintptr(len(part)), windows.MEM_DECOMMIT)
}

// lockStep is how much is locked in one call, which may hold up other calls
// that concern the memory of this process.
const lockStep = 1 << 20

// populateMemory locks pages, by which they get memory, and otherwise reads a
// byte of each for that.
func populateMemory(part []byte, lock bool) error {
	var failed error
	for at := 0; lock && at < len(part); at += lockStep {
		step := part[at:min(at+lockStep, len(part))]
		if err := windows.VirtualLock(address(step), uintptr(len(step))); err != nil {
			failed, lock = fmt.Errorf("locking memory (VirtualLock): %w", err), false
			part = part[at:]
		}
	}
	if !lock {
		for at := 0; at < len(part); at += windows.Getpagesize() {
			touch(&part[at])
		}
	}
	return failed
}

//go:noinline
func touch(b *byte) byte { return *b }

// hugePages has nothing to do: large pages need a privilege that the service
// does not ask for.
func hugePages([]byte) {}

// fluid is what the minimum working set has beyond what is locked: VirtualLock
// allows no more than the minimum less a small overhead ("VirtualLock
// function"), and the rest of the process is to have room, too.
const fluid = 16 << 20

// limitMemory raises or lowers the limits of the working set by what the
// region takes more or less, so that all of it can be locked. The system
// checks at once whether it can keep as much in RAM, and sets it aside
// ("SetProcessWorkingSetSizeEx function").
func limitMemory(before, now int) error {
	process := windows.CurrentProcess()
	var least, most uintptr
	var flags uint32
	windows.GetProcessWorkingSetSizeEx(process, &least, &most, &flags)
	want := int(least) + withFluid(now) - withFluid(before)
	want = max(want, 1<<20)
	if now > before {
		// Held, but off: the first in the tokens of services and users alike, the
		// second in those of administrators. Where one is not, the next call tells.
		_ = enablePrivilege("SeIncreaseWorkingSetPrivilege")
		_ = enablePrivilege("SeIncreaseBasePriorityPrivilege")
	}
	// With flags 0 the limits stay what they were: soft or hard.
	if err := windows.SetProcessWorkingSetSizeEx(process, uintptr(want), max(most, uintptr(want)+fluid), 0); err != nil {
		return fmt.Errorf("raising the minimum working set to %d MiB to lock memory (SetProcessWorkingSetSizeEx): %w", want>>20, err)
	}
	return nil
}

func withFluid(memory int) int {
	if memory == 0 {
		return 0
	}
	return memory + fluid
}

// enablePrivilege switches on a privilege that the process holds.
func enablePrivilege(name string) error {
	var token windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES, &token); err != nil {
		return err
	}
	defer func() { _ = token.Close() }()
	var id windows.LUID
	utf16, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	if err := windows.LookupPrivilegeValue(nil, utf16, &id); err != nil {
		return err
	}
	state := windows.Tokenprivileges{
		PrivilegeCount: 1,
		Privileges:     [1]windows.LUIDAndAttributes{{Luid: id, Attributes: windows.SE_PRIVILEGE_ENABLED}},
	}
	return windows.AdjustTokenPrivileges(token, false, &state, 0, nil, nil)
}
