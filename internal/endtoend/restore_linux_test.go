package endtoend

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/control"
)

// blast puts small frames on an interface without an end, so many in a second.
func blast(args []string) error {
	sock, err := packetSocket(args[0])
	if err != nil {
		return err
	}
	rate, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	frames := make([][]byte, 1000)
	for i := range frames {
		frames[i] = datagram(i, 4000, 100)
	}
	fmt.Println("ready")
	begun := time.Now()
	for sent := 0; ; {
		for due := int(time.Since(begun).Seconds() * float64(rate)); sent < due; sent++ {
			if _, err := unix.Write(sock, frames[sent%len(frames)]); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return err
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// A service that has a file to read back records from the first moment, and drops
// nothing meanwhile.
func TestRestoreBehindCapture(t *testing.T) {
	restoreBehind(t, 128<<20, 10_000, 2*time.Second) // 200 ms on an idle machine
}

// restoreBehind fills a cache and has a new service read it back, while packets
// come at a rate; limit is until when it has to record.
func restoreBehind(t *testing.T, budget, rate int, limit time.Duration) {
	t.Helper()
	w := newWire(t)
	dir := shortDir(t)
	size := strconv.Itoa(budget)
	s := startAt(t, w.a, dir, "--ram-size", size, "--checkpoint-interval", "0")
	server := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(server.stdout.String(), "listening") })
	for s.status().Memory.CacheBytes < int64(budget)*7/10 {
		w.a.must(t, "iperf3", "-c", plain4, "-n", strconv.Itoa(budget/8))
	}
	t.Logf("sealed within %v", s.stop(syscall.SIGTERM).Round(time.Millisecond))
	info, err := os.Stat(sealedPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < int64(budget)*6/10 {
		t.Errorf("the file has only %d bytes", info.Size())
	}

	startRole(t, w.b, "blast", "wire0", strconv.Itoa(rate))
	s = launchAt(t, w.a, dir, "--ram-size", size, "--checkpoint-interval", "0")
	began := s.awaitInterface("wire0", control.InterfaceCapturing).Since.Sub(s.begun)
	restoring := s.status()
	done := s.await("the restore", func(st control.Status) bool { return st.Persistence.State == control.PersistenceReady })
	took := done.Time.Sub(s.begun)
	r := done.Persistence.Restore
	seen := done.Totals.Seen.Packets
	t.Logf("capturing %v after the start; %d MiB read back within %v of it (%.0f MB/s), %d packets, while %d came",
		began.Round(time.Millisecond), info.Size()>>20, took.Round(time.Millisecond), float64(info.Size())/1e6/took.Seconds(), r.Packets, seen)
	if began > limit {
		t.Errorf("capturing only %v after the start", began)
	}
	if done.Totals.Dropped > 0 {
		t.Errorf("%d packets dropped of %d", done.Totals.Dropped, seen)
	}
	// The last ones may still be on their way to the cache.
	if least := float64(rate) * (took - began - 100*time.Millisecond).Seconds() / 2; float64(seen) < least {
		t.Errorf("only %d packets came in %v, want %.0f: the test does not send what it is to", seen, took-began, least)
	}
	if r.Missing.Packets > r.Packets/100 || r.Damage != "" {
		t.Errorf("restored %+v", r)
	}
	if restoring.Persistence.State == control.PersistenceReady && took > time.Second {
		t.Errorf("the restore was over before capture began: %+v", restoring.Persistence)
	}
}
