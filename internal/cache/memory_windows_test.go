package cache

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// privateBytes walks through the process's memory and adds up what it has
// committed for itself, the number that Windows calls private bytes (Wine's
// GetProcessMemoryInfo does not know it).
func privateBytes(t *testing.T) (sum int) {
	t.Helper()
	debug.FreeOSMemory()
	const memPrivate = 0x20000
	for at := uintptr(0); ; {
		var info windows.MemoryBasicInformation
		if windows.VirtualQuery(at, &info, unsafe.Sizeof(info)) != nil {
			return sum // the end of what a process can have
		}
		if info.State == windows.MEM_COMMIT && info.Type == memPrivate {
			sum += int(info.RegionSize)
		}
		at = info.BaseAddress + info.RegionSize
	}
}

// TestPrivateBytes: a cache takes its budget and little more, also with readers
// at work, and when it has been resized.
func TestPrivateBytes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	before := privateBytes(t)
	tp := newTape(t, Options{Bytes: smallBudget, Most: 64 << 20, Bias: 2})
	talks := manyTalks(200, newWorld(9, false).random)
	readers := make([]*Reader, 8)
	for i := range readers {
		readers[i] = tp.c.NewReader()
	}
	for _, mib := range []int{8, 40, 16, 64, 8} {
		budget := mib << 20
		if err := tp.c.Resize(budget); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < budget; n += 700 {
			tp.add(talks[n%len(talks)], false, 100+n%1200)
		}
		for _, r := range readers {
			r.Begin(All)
			times(r)
		}
		const slack = 8 << 20 // eight readers, and the heap's air
		if taken := privateBytes(t) - before; taken > budget+slack || taken < budget*9/10 {
			t.Errorf("a cache of %d MiB takes %d KiB", mib, taken>>10)
		} else {
			t.Logf("a cache of %d MiB takes %d KiB", mib, taken>>10)
		}
	}
}
