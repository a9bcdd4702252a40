package mem

import (
	"bytes"
	"testing"
)

// TestPrefetch: asking for memory changes nothing and never fails, not even
// where there is none.
func TestPrefetch(t *testing.T) {
	b := bytes.Repeat([]byte{7}, 4096)
	for n := range len(b) {
		PrefetchLines(b[:n])
	}
	PrefetchLines(b[len(b)-1:])
	Prefetch(nil)
	Prefetch([]uintptr{0, 8, ^uintptr(0)})
	if !bytes.Equal(b, bytes.Repeat([]byte{7}, 4096)) {
		t.Error("memory has changed")
	}
}
