package cache

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// fillVariable makes the test binary fill a cache of so many bytes and print
// what its process takes then.
const fillVariable = "PACKETCACHE_TEST_FILL"

// TestResidentMemory fills caches in processes of their own: each takes its
// budget and little more, also while eight readers are at work.
func TestResidentMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	for _, budget := range []int{8 << 20, 40 << 20} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFillForResidentMemory$", "-test.v")
		cmd.Env = append(os.Environ(), fillVariable+"="+strconv.Itoa(budget))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var before, after int
		_, line, found := strings.Cut(string(out), "resident: ")
		if _, err := fmt.Sscanf(line, "%d %d", &before, &after); !found || err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		t.Logf("a cache of %d KiB takes %d KiB", budget>>10, after-before)
		const slack = 8 << 20 // eight readers, the test's own packets, and the heap's air
		if taken := (after - before) << 10; taken > budget+slack || taken < budget/2 {
			t.Errorf("a cache of %d bytes takes %d", budget, taken)
		}
	}
}

// TestFillForResidentMemory is the process that TestResidentMemory starts.
func TestFillForResidentMemory(t *testing.T) {
	budget, err := strconv.Atoi(os.Getenv(fillVariable))
	if err != nil {
		t.Skip("is for TestResidentMemory")
	}
	debug.SetGCPercent(20)
	before := resident(t)
	tp := newTape(t, Options{Bytes: budget, Bias: 2})
	talks := manyTalks(200, newWorld(9, false).random)
	readers := make([]*Reader, 8)
	for i := range readers {
		readers[i] = tp.c.NewReader()
	}
	for n := 0; n < 3*budget; n += 700 {
		tp.add(talks[n%len(talks)], false, 100+n%1200)
	}
	for _, r := range readers[1:] {
		r.Begin(All)
		times(r)
	}
	readers[0].Begin(All) // stuck
	fmt.Printf("resident: %d %d\n", before, resident(t))
}

// resident is the process's anonymous memory in KiB (proc_pid_status(5)).
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := bytes.Cut(status, []byte("RssAnon:"))
	var n int
	if _, err := fmt.Sscan(string(line), &n); !found || err != nil {
		t.Fatalf("no RssAnon in %s", status)
	}
	return n
}
