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
	tp := newTape(t, Options{Bytes: budget, Bias: 2, Compress: true})
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

// TestShrinkingGivesBack: a cache that shrinks gives its memory back at once,
// and what it is given later it takes.
func TestShrinkingGivesBack(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestResizeForResidentMemory$", "-test.v")
	cmd.Env = append(os.Environ(), fillVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, lines, _ := strings.Cut(string(out), "resident: ")
	for step, mib := range resizeSteps {
		var taken int
		if _, err := fmt.Sscanf(lines, "%d", &taken); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		_, lines, _ = strings.Cut(lines, " ")
		t.Logf("step %d: %d MiB take %d KiB", step, mib, taken)
		if taken > (mib+8)<<10 || taken < mib<<10*9/10 {
			t.Errorf("step %d: a cache of %d MiB takes %d KiB", step, mib, taken)
		}
	}
}

// resizeSteps are budgets in MiB.
var resizeSteps = []int{64, 16, 48, 8, 64}

// TestResizeForResidentMemory is the process that TestShrinkingGivesBack starts.
func TestResizeForResidentMemory(t *testing.T) {
	if os.Getenv(fillVariable) == "" {
		t.Skip("is for TestShrinkingGivesBack")
	}
	debug.SetGCPercent(20)
	before := resident(t)
	tp := newTape(t, Options{Bytes: smallBudget, Most: 64 << 20, Bias: 2})
	talks := manyTalks(200, newWorld(9, false).random)
	fmt.Print("resident: ")
	for _, mib := range resizeSteps {
		if err := tp.c.Resize(mib << 20); err != nil {
			t.Fatal(err)
		}
		after := resident(t)
		for n := 0; n < 2*mib<<20 && after-before < mib<<10*9/10; n += 700 { // grown: fill it
			tp.add(talks[n%len(talks)], false, 100+n%1200)
			if n%7000 == 0 {
				after = resident(t)
			}
		}
		fmt.Printf("%d ", after-before)
	}
	fmt.Println()
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
