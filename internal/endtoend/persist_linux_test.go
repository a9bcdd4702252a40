package endtoend

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// sealedPath is where a service started by launchAt keeps its cache.
func sealedPath(dir string) string { return filepath.Join(dir, "data", "PacketCache.sealed") }

// startAt is launchAt that waits until wire0 is recorded and what an earlier run
// has left is back.
func startAt(t testing.TB, ns namespace, dir string, args ...string) *service {
	t.Helper()
	s := launchAt(t, ns, dir, args...)
	s.awaitInterface("wire0", control.InterfaceCapturing)
	s.await("the restore", func(st control.Status) bool { return st.Persistence.State == control.PersistenceReady })
	return s
}

// What was recorded before a restart is there after it, packet by packet, with
// what has come since and the log of when nothing was recorded.
func TestRestartKeepsPackets(t *testing.T) {
	w := newWire(t)
	vlans := w.addVLANs(t)
	dir := shortDir(t)
	tcpdump := startTcpdump(t, w.a)
	mark := func(text string) string {
		text += " " + dir
		w.a.play(t, "send", net.JoinHostPort(plain4, "9"), text)
		return text
	}
	args := []string{"--ram-size", "512MiB"}

	s := startAt(t, w.a, dir, args...)
	from := mark("first")
	makeAllTraffic(t, w, vlans)
	to := mark("second")
	eventually(t, "the second mark in the dump", func() bool { return holds(t, s.dump(), to) })
	if st := s.status(); st.Totals.Dropped != 0 || st.Totals.Evicted.Packets != 0 {
		t.Fatalf("%d packets dropped and %d evicted: the test sends too fast for this machine", st.Totals.Dropped, st.Totals.Evicted.Packets)
	}
	before := s.status()
	s.stop(syscall.SIGTERM)
	if !strings.Contains(s.log.String(), "The cache was sealed into "+sealedPath(dir)) {
		t.Errorf("the log does not say that it was saved:\n%s", s.tail())
	}

	s = startAt(t, w.a, dir, args...)
	after := s.status()
	held := before.Totals.Stored.Packets
	if r := after.Persistence.Restore; r == nil || r.Packets < held || r.Missing.Packets != 0 || r.Checkpoint || r.AwaySeconds > patience.Seconds() {
		t.Errorf("restored: %+v, of %d packets", r, held)
	}
	for _, h := range after.Horizons {
		if !h.Complete || h.Seconds < before.Horizons[0].Seconds {
			t.Errorf("after the restart it reaches back %+v, before it was %v s", h, before.Horizons[0].Seconds)
		}
	}
	coverage(t, after, "start", "up", "stop", "start", "up")
	from2 := mark("third")
	w.a.play(t, "client", plain4)
	to2 := mark("fourth")
	eventually(t, "the last mark in the dump", func() bool { return holds(t, s.dump(), to2) })

	pcapng, pcap := s.dump("--format", "pcapng"), s.dump()
	all := tcpdump.between(t, from, to2)
	fine := sound(t, pcapng)
	likewise(t, "before", between(t, "pcapng", fine, from, to), between(t, "tcpdump", all, from, to))
	likewise(t, "since", between(t, "pcapng", fine, from2, to2), between(t, "tcpdump", all, from2, to2))
	same(t, "pcap", between(t, "pcap", sound(t, pcap), from, to2), between(t, "pcapng", fine, from, to2), time.Microsecond)

	// Once more, without anything in between: what was restored is restored again.
	want := len(fine)
	s.stop(syscall.SIGINT)
	s = startAt(t, w.a, dir, args...)
	if got := sound(t, s.dump()); len(got) < want {
		t.Errorf("after the second restart there are %d packets, want at least %d", len(got), want)
	}
	coverage(t, s.status(), "start", "stop", "start", "stop", "start")
}

// coverage checks that the log has these kinds of entries in that order, with any
// others between.
func coverage(t *testing.T, st control.Status, kinds ...string) {
	t.Helper()
	left := kinds
	for i, e := range st.Coverage {
		if i > 0 && e.Time.Before(st.Coverage[i-1].Time) {
			t.Errorf("the coverage log goes back: %+v", st.Coverage)
			return
		}
		if len(left) > 0 && e.Kind == left[0] {
			left = left[1:]
		}
	}
	if len(left) > 0 {
		t.Errorf("the coverage log lacks %q of %q: %+v", left, kinds, st.Coverage)
	}
}

// A run in the foreground that was not told where to keep its cache keeps nothing,
// and says so, and a replay neither.
func TestNothingIsKept(t *testing.T) {
	w := newWire(t)
	dir := shortDir(t)
	const script = `mount -t tmpfs none /var/lib && exec "$0" "$@"`
	cmd := w.a.command(need(t, "unshare"), "-m", "sh", "-c", script, program(t, "packetcache"), "--endpoint-dir", dir, "--ram-size", "8MiB")
	s := attend(t, dir, cmd)
	s.awaitInterface("wire0", control.InterfaceCapturing)
	st := s.status()
	if p := st.Persistence; p.State != control.PersistenceOff || !strings.Contains(p.Note, "--data-dir") {
		t.Errorf("persistence: %+v", p)
	}
	if entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/root/var/lib", s.cmd.Process.Pid)); err != nil || len(entries) > 0 {
		t.Errorf("in /var/lib are %v, %v", entries, err)
	}
	s.stop(syscall.SIGTERM)
	if out := s.stdout.String(); !strings.Contains(out, "Ctrl+C ends it, and what was recorded is gone then; with --data-dir DIR it is kept there, encrypted.") {
		t.Errorf("it says\n%s", out)
	}

	s = launchAt(t, "", dir, "--ram-size", "8MiB", "--replay", bulk(t, 1<<20, 10))
	s.awaitReplay()
	s.stop(syscall.SIGTERM)
	if _, err := os.Stat(sealedPath(dir)); err == nil {
		t.Error("a replay was kept")
	}
	if out := s.stdout.String(); !strings.Contains(out, "what was read is gone then") {
		t.Errorf("it says\n%s", out)
	}
}

// What was wiped is gone, in memory and on the disk, and does not come back; who
// did it is told.
func TestClear(t *testing.T) {
	w := newWire(t)
	dir := shortDir(t)
	args := []string{"--ram-size", "8MiB", "--checkpoint-interval", "1s"}
	s := startAt(t, w.a, dir, args...)
	const before, after = "from before", "from after"
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), before)
	eventually(t, "the packet in the dump", func() bool { return holds(t, s.dump(), before) })
	seen := time.Now()
	s.await("a checkpoint with it", func(st control.Status) bool {
		return st.Persistence.LastSave != nil && st.Persistence.LastSave.Time.After(seen)
	})
	if _, stderr, code := s.pcctl("clear"); code != 2 || !strings.Contains(stderr, sealedPath(dir)) {
		t.Errorf("pcctl clear: exit code %d\n%s", code, stderr)
	}
	stdout, stderr, code := s.pcctl("clear", "--yes")
	if code != 0 || !strings.Contains(stdout, "Removed "+sealedPath(dir)) {
		t.Errorf("pcctl clear --yes: exit code %d\n%s%s", code, stdout, stderr)
	}
	s.awaitLog("The cache was wiped by root (uid 0)")
	if holds(t, s.dump(), before) {
		t.Error("it is still in memory")
	}
	coverage(t, s.status(), "start", "clear")
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), after)
	eventually(t, "the packet in the dump", func() bool { return holds(t, s.dump(), after) })
	s.stop(syscall.SIGTERM)

	s = startAt(t, w.a, dir, args...)
	if dump := s.dump(); holds(t, dump, before) || !holds(t, dump, after) {
		t.Error("after a restart the packet from before is back, or that from after is not")
	}
	s.stop(syscall.SIGTERM)
}
