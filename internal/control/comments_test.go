package control

import (
	"fmt"
	"strings"
	"testing"
)

// A long log has its newest entries in a pcapng, in order.
func TestCoverageComment(t *testing.T) {
	var log []CoverageEntry
	for n := range 1000 {
		log = append(log, CoverageEntry{Kind: "up", Text: fmt.Sprintf("entry %d", n) + strings.Repeat("x", 100)})
	}
	text := CoverageComment(log)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(text) > maxComment || len(text) < maxComment-300 {
		t.Errorf("%d bytes, want at most %d", len(text), maxComment)
	}
	for i, line := range lines[1:] {
		if want := fmt.Sprintf("entry %dx", len(log)-len(lines)+1+i); !strings.Contains(line, want) {
			t.Fatalf("line %d is %.60q, want %q in it", i, line, want)
		}
	}
	if got := CoverageComment(nil); !strings.HasPrefix(got, "When and where") {
		t.Errorf("without entries it says %q", got)
	}
}
