package mem

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// committed walks through a part's address space and adds up what counts
// against the machine's memory.
func committed(t *testing.T, p *Part) (sum int) {
	t.Helper()
	const memPrivate = 0x20000
	from, to := address(p.space), address(p.space)+uintptr(len(p.space))
	for at := from; at < to; {
		var info windows.MemoryBasicInformation
		if err := windows.VirtualQuery(at, &info, unsafe.Sizeof(info)); err != nil {
			t.Fatal(err)
		}
		end := min(info.BaseAddress+info.RegionSize, to)
		if info.State == windows.MEM_COMMIT && info.Type == memPrivate {
			sum += int(end - at)
		}
		at = end
	}
	return sum
}

// resident counts the bytes that are in RAM (QueryWorkingSetEx).
func resident(t *testing.T, memory []byte) (sum int) {
	t.Helper()
	page := windows.Getpagesize()
	type information struct{ address, attributes uintptr }
	pages := make([]information, len(memory)/page)
	for i := range pages {
		pages[i].address = address(memory[i*page:])
	}
	query := windows.NewLazySystemDLL("kernel32.dll").NewProc("K32QueryWorkingSetEx")
	if ok, _, err := query.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&pages[0])), uintptr(len(pages))*unsafe.Sizeof(pages[0])); ok == 0 {
		t.Fatal(err)
	}
	for _, p := range pages {
		if p.attributes&1 != 0 { // valid
			sum += page
		}
	}
	return sum
}

// Memory counts against the machine's from when it is taken to when it is given
// back, takes RAM as it is populated, and is locked by that.
func TestMemoryComesAndGoes(t *testing.T) {
	r := reserve(t, 1<<30)
	p := r.Part(1 << 30)
	if n := committed(t, p); n != 0 {
		t.Errorf("reserved space takes %d bytes", n)
	}
	resize(t, p, 16<<20)
	if n, ram := committed(t, p), resident(t, p.Bytes()); n != 16<<20 || ram != 0 {
		t.Errorf("16 MiB are %d bytes, %d of them in RAM before they are touched", n, ram)
	}
	for more := true; more; {
		_, more = p.Populate(3 << 20)
	}
	if ram := resident(t, p.Bytes()); ram != 16<<20 {
		t.Errorf("of 16 MiB %d bytes are in RAM", ram)
	}
	if err := r.LockError(); err != nil {
		t.Errorf("not locked: %v", err)
	}
	resize(t, p, 5<<20)
	if n := committed(t, p); n != 5<<20 {
		t.Errorf("5 MiB are %d bytes", n)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// More than the machine can lock is populated all the same, and it is known
// why it is not locked. (Wine has no limit of its own, so it is told so.)
func TestLockRefused(t *testing.T) {
	r := reserve(t, 8<<20)
	p := r.Part(8 << 20)
	resize(t, p, 4<<20)
	r.note(windows.ERROR_WORKING_SET_QUOTA)
	for more := true; more; {
		_, more = p.Populate(1 << 20)
	}
	if ram := resident(t, p.Bytes()); ram != 4<<20 || r.LockError() == nil {
		t.Errorf("%d bytes are in RAM, %v", ram, r.LockError())
	}
}

// Both privileges that raising the working set may take are switched on. In an
// administrator's token they are off.
func TestPrivilegesAreSwitchedOn(t *testing.T) {
	var token windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, &token); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = token.Close() }()
	if err := windows.AdjustTokenPrivileges(token, true, nil, 0, nil, nil); err != nil { // all off
		t.Fatal(err)
	}
	r := reserve(t, 1<<20)
	resize(t, r.Part(1<<20), 1<<20)
	buf := make([]uint64, 1024)
	var n uint32
	if err := windows.GetTokenInformation(token, windows.TokenPrivileges, (*byte)(unsafe.Pointer(&buf[0])), uint32(len(buf)*8), &n); err != nil {
		t.Fatal(err)
	}
	on := map[windows.LUID]uint32{}
	for _, p := range (*windows.Tokenprivileges)(unsafe.Pointer(&buf[0])).AllPrivileges() {
		on[p.Luid] = p.Attributes
	}
	for _, name := range []string{"SeIncreaseWorkingSetPrivilege", "SeIncreaseBasePriorityPrivilege"} {
		wide, err := windows.UTF16PtrFromString(name)
		if err != nil {
			t.Fatal(err)
		}
		var id windows.LUID
		if err := windows.LookupPrivilegeValue(nil, wide, &id); err != nil {
			t.Logf("%s is not known here: %v", name, err) // Wine knows the second only
			continue
		}
		if attributes, held := on[id]; held && attributes&windows.SE_PRIVILEGE_ENABLED == 0 {
			t.Errorf("%s is off", name)
		} else if !held {
			t.Logf("%s is not held here", name)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
