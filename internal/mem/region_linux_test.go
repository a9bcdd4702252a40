package mem

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"unsafe"
)

// mapped is what /proc/self/smaps says of the part's mappings, in KiB.
func mapped(t *testing.T, p *Part, field string) (sum int) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	from := uintptr(unsafe.Pointer(&p.space[0]))
	inside := false
	for line := range bytes.Lines(smaps) {
		var start, end uintptr
		if n, _ := fmt.Sscanf(string(line), "%x-%x ", &start, &end); n == 2 {
			inside = start < from+uintptr(len(p.space)) && end > from
		}
		var kib int
		if n, _ := fmt.Sscanf(string(line), field+": %d kB", &kib); inside && n == 1 {
			sum += kib
		}
	}
	return sum
}

// Memory comes as it is touched, is locked then, and goes back to the system
// at once.
func TestMemoryComesAndGoes(t *testing.T) {
	r := reserve(t, 1<<30)
	p := r.Part(1 << 30)
	if rss := mapped(t, p, "Rss"); rss != 0 {
		t.Errorf("reserved space takes %d KiB", rss)
	}
	resize(t, p, 16<<20)
	if rss := mapped(t, p, "Rss"); rss != 0 {
		t.Errorf("untouched memory takes %d KiB", rss)
	}
	for more := true; more; {
		_, more = p.Populate(1 << 20)
	}
	if rss := mapped(t, p, "Rss"); rss != 16<<10 {
		t.Errorf("16 MiB take %d KiB", rss)
	}
	if err := r.LockError(); err != nil {
		t.Logf("not locked here: %v", err)
	} else if locked := mapped(t, p, "Locked"); locked != 16<<10 {
		t.Errorf("of 16 MiB %d KiB are locked", locked)
	}
	resize(t, p, 5<<20)
	if rss := mapped(t, p, "Rss"); rss != 5<<10 {
		t.Errorf("5 MiB take %d KiB", rss)
	}
}
