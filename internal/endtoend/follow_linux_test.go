package endtoend

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// startFollowing begins a dump that follows, and waits until it does.
func (s *service) startFollowing(args ...string) *job {
	s.t.Helper()
	j := begin(s.t, exec.Command(program(s.t, "pcctl"), append([]string{"dump", "--follow", "--endpoint-dir", s.dir}, args...)...))
	s.await("a dump that follows", func(st control.Status) bool { return st.Dumps.Active > 0 })
	return j
}

// Who begins to follow in the middle of traffic and ends it with Ctrl+C has what
// tcpdump has, each packet once.
func TestFollow(t *testing.T) {
	w := newWire(t)
	tcpdump := startTcpdump(t, w.a)
	s := start(t, w.a, "--ram-size", "512MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	from, to := "first "+s.dir, "last "+s.dir
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), from)
	file := filepath.Join(t.TempDir(), "live.pcapng")
	throughput := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(throughput.stdout.String(), "listening") })
	sending := begin(t, w.a.command(need(t, "iperf3"), "-c", plain4, "-t", "3", "-b", "100M"))
	s.await("traffic", func(st control.Status) bool { return st.Totals.Seen.Packets > 100 })
	following := s.startFollowing("--format", "pcapng", "-w", file)
	w.a.must(t, "ping", "-n", "-c", "100", "-i", "0.01", plain4)
	if !sending.running() {
		t.Error("it began to follow when all was over")
	}
	sending.exitCode(t, patience)
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), to)
	want := tcpdump.between(t, from, to)
	before := s.status().Totals.Seen
	s.await("the last packet", func(st control.Status) bool {
		return st.Totals.Seen.Packets >= uint64(len(want)) && st.Totals.Seen == before
	})
	if err := following.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := following.exitCode(t, patience); code != 0 {
		t.Fatalf("exit code %d\n%s", code, following.log.String())
	}
	got := readFile(t, file)
	t.Logf("%d packets between the marks, %d in the file\n%s", len(want), len(got), following.log.String())
	likewise(t, "pcapng", between(t, "pcapng", sorted(got), from, to), want)
	if !strings.Contains(following.log.String(), "evicted  none") {
		t.Errorf("it says %s", following.log.String())
	}
}

// A service that stops ends the file of who follows, in good order.
func TestFollowUntilStop(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	file := filepath.Join(t.TempDir(), "live.pcap")
	following := s.startFollowing("-w", file)
	w.a.must(t, "ping", "-n", "-c", "5", "-i", "0.01", plain4)
	s.await("5 pings and answers", func(st control.Status) bool { return st.Totals.Seen.Packets >= 10 })
	if took := s.stop(syscall.SIGTERM); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if code := following.exitCode(t, patience); code != 0 || !strings.Contains(following.log.String(), "The service has stopped") {
		t.Errorf("exit code %d\n%s", code, following.log.String())
	}
	if n := len(sound(t, file)); n < 10 {
		t.Errorf("%d packets in the file", n)
	}
}
