package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The search for DLLs is restricted before any package is initialized that
// could load one: all that need package os or net, and all that are not of the
// standard library.
func TestDLLSearchComesFirst(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var order []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "init" {
			order = append(order, fields[1])
		}
	}
	const this = "github.com/packetcache/packetcache/internal/system32"
	at := slices.Index(order, this)
	if at < 0 || !slices.Contains(order, "os") || !slices.Contains(order, "net") {
		t.Fatalf("the order of initialization is not as this test knows it: %q", order)
	}
	// It imports nothing, and asks the processor.
	const harmless = "github.com/klauspost/compress/internal/cpuinfo"
	for _, before := range order[:at] {
		if before == harmless {
			continue
		}
		first, _, _ := strings.Cut(before, "/")
		if before == "os" || before == "net" || strings.Contains(first, ".") {
			t.Errorf("%s is initialized before the search for DLLs is restricted", before)
		}
	}
}
