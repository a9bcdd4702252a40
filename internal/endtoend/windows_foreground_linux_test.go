package endtoend

import (
	"strings"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// In a terminal it records until Ctrl+C.
func TestWindowsForeground(t *testing.T) {
	w := newWindows(t)
	run := begin(t, w.command(folder+"packetcache.exe", "--ram-size", "16MiB"))
	w.awaitInterface("wire0", control.InterfaceCapturing)
	w.b.must(t, "ping", "-n", "-c", "5", "-i", "0.01", "10.77.0.1")
	w.await("the pings", func(st control.Status) bool { return st.Totals.Stored.Packets >= 10 })

	// One more finds the endpoints taken and says by whom, and leaves the first
	// alone; one with pipes of its own works beside it.
	stdout, stderr, code := w.run(folder+"packetcache.exe", "--ram-size", "16MiB")
	if code != 1 || !strings.Contains(stderr, "already in use by pid") || !strings.Contains(stderr, "--endpoint-dir") {
		t.Errorf("a second one: exit code %d\n%s%s", code, stdout, stderr)
	}
	beside := begin(t, w.command(folder+"packetcache.exe", "--ram-size", "16MiB", "--endpoint-dir", "-lab"))
	eventually(t, "an answer on the other pipe", func() bool {
		_, ok := w.status("--endpoint-dir", "-lab")
		return ok
	})
	for _, one := range []*job{beside, run} {
		// Wine turns the signal into what Ctrl+C is in a Windows terminal.
		if err := one.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if code := one.exitCode(t, stopsWithin); code != 0 {
			t.Errorf("Ctrl+C ends it with exit code %d", code)
		}
		if out := one.stdout.String(); !strings.Contains(out, "packets captured, 0 packets dropped") {
			t.Errorf("it takes its leave with\n%s\n%s", out, one.log.String())
		}
	}
	w.stopped("Ctrl+C")
}

// Who is told nonsense says what is wrong.
func TestWindowsUsage(t *testing.T) {
	w := newWindows(t)
	for _, test := range []struct {
		program string
		args    []string
		says    string
	}{
		{"packetcache", []string{"5", "6"}, "PERCENT is the only one"},
		{"packetcache", []string{"--ram-size", "much"}, "ram-size"},
		{"packetcache", []string{"99"}, "50"},
		{"packetcache", []string{"--nonsense"}, "nonsense"},
		{"pcctl", []string{"dump", "--since", "yesterday", "-w", "x"}, "yesterday"},
		{"pcctl", []string{"nonsense"}, "nonsense"},
	} {
		stdout, stderr, code := w.run(folder+test.program+".exe", test.args...)
		if code != 2 || !strings.Contains(stderr, test.says) {
			t.Errorf("%s %v: exit code %d, want 2 and %q\n%s%s", test.program, test.args, code, test.says, stdout, stderr)
		}
	}
}
