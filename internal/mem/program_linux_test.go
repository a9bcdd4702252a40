package mem

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// residentFile is what of files is in the process's memory, in KiB.
func residentFile(t *testing.T) (kib int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

var variable = 1 // in the part of the file that may be written

// The program goes on as before, with less of its file in memory.
func TestDropProgram(t *testing.T) {
	variable = 2
	before := residentFile(t)
	DropProgram()
	after := residentFile(t)
	t.Logf("%d KiB before, %d KiB after", before, after)
	if after >= before {
		t.Errorf("%d KiB of files in memory before, %d KiB after", before, after)
	}
	if variable != 2 {
		t.Error("a variable has its value of the start again")
	}
}
