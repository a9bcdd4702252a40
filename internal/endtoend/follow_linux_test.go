package endtoend

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// A reader that follows and takes nothing for a while holds up neither capture nor the
// cache. What was evicted meanwhile is counted, in what it is told and at the packet
// behind the gap.
func TestFollowSlowly(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "8MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	server := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(server.stdout.String(), "listening") })

	file := filepath.Join(t.TempDir(), "slow.pcapng")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := exec.Command(program(t, "pcctl"), "dump", "--follow", "--format", "pcapng", "-w", "-", "--json", "--endpoint-dir", s.dir)
	cmd.Stdout = writer
	following := begin(t, cmd)
	writer.Close()
	s.await("a dump that follows", func(st control.Status) bool { return st.Dumps.Active > 0 })
	before := s.status().Totals
	w.a.must(t, "iperf3", "-c", plain4, "-n", "60M", "-b", "200M")
	s.await("more than the cache holds", func(st control.Status) bool { return st.Totals.Evicted.Bytes > before.Evicted.Bytes+20<<20 })

	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(out, reader)
		copied <- errors.Join(err, out.Close())
	}()
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), "the last "+s.dir)
	eventually(t, "the last packet in the file", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "the last "+s.dir)
	})
	if err := following.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := following.exitCode(t, patience); code != 0 {
		t.Fatalf("exit code %d\n%s", code, following.log.String())
	}
	if err := <-copied; err != nil {
		t.Fatal(err)
	}

	var told struct {
		Packets int
		Evicted int `json:"evicted_packets"`
	}
	if err := json.Unmarshal([]byte(following.log.String()), &told); err != nil {
		t.Fatalf("%v in %s", err, following.log.String())
	}
	counted := 0
	for field := range strings.FieldsSeq(must(t, need(t, "tshark"), "-n", "-r", file, "-Y", "frame.drop_count > 0", "-T", "fields", "-e", "frame.drop_count")) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		counted += n
	}
	t.Logf("%d packets came and %d were evicted before, of %d", told.Packets, told.Evicted, s.status().Totals.Stored.Packets)
	if n := len(readFile(t, file)); told.Evicted == 0 || counted != told.Evicted || told.Packets != n {
		t.Errorf("%d packets in the file, whose drop counts add up to %d; told were %d and %d", n, counted, told.Packets, told.Evicted)
	}
}
