package endtoend

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/control"
)

// headroom is what the process may take beside its budget.
const headroom = 16 << 20

// residence is what of a process is in memory, in bytes (proc_pid_status(5)).
type residence struct {
	total, peak        int64 // VmRSS, VmHWM
	anon, file, shared int64
	locked             int64
}

func residenceOf(t testing.TB, s *service) residence {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var r residence
	for name, to := range map[string]*int64{
		"VmRSS:": &r.total, "VmHWM:": &r.peak, "RssAnon:": &r.anon, "RssFile:": &r.file, "RssShmem:": &r.shared, "VmLck:": &r.locked,
	} {
		_, rest, ok := strings.Cut(string(b), name)
		if !ok {
			t.Fatalf("no %s in\n%s", name, b)
		}
		kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		*to = kib << 10
	}
	return r
}

func (r residence) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("VmRSS %.1f MiB (peak %.1f), of it anonymous %.1f, shared %.1f, files %.1f; locked %.1f",
		float64(r.total)/mib, float64(r.peak)/mib, float64(r.anon)/mib, float64(r.shared)/mib, float64(r.file)/mib, float64(r.locked)/mib)
}

// fits checks a residence and its peak against a budget: what belongs to the
// process alone, without the pages of its program file, which the system can
// drop at any time.
func (r residence) fits(t testing.TB, when string, budget int64) {
	t.Helper()
	t.Logf("%s: %v; budget %d MiB, all but files at most %.1f MiB more", when, r, budget>>20, float64(r.peak-r.file-budget)/(1<<20))
	if own := max(r.anon+r.shared, r.peak-r.file); own > budget+headroom {
		t.Errorf("%s: %d bytes of its own are %d above the budget", when, own, own-budget)
	}
}

// fitsWhole is fits with the pages of the program file.
func (r residence) fitsWhole(t testing.TB, when string, budget int64) {
	t.Helper()
	r.fits(t, when, budget)
	if r.peak > budget+headroom {
		t.Errorf("%s: the peak of %d bytes is %d above the budget", when, r.peak, r.peak-budget)
	}
}

// The process stays within its budget and 16 MiB, full and while eight dumps
// are read of which one is stuck.
func TestMemory(t *testing.T) {
	for _, mib := range []int64{8, 40, 256} {
		t.Run(fmt.Sprintf("%d MiB", mib), func(t *testing.T) {
			after := staysWithin(t, mib<<20, bulkPipe(t, int(mib<<20)*2, 10_000))
			if mib > 8 { // in the least budget the program's own pages weigh more
				after.fitsWhole(t, "in the end", mib<<20)
			}
		})
	}
	// A day in an office: packets of all sizes and classes, which make the
	// merging harder.
	for _, mib := range []int64{8, 40} {
		t.Run(fmt.Sprintf("office, %d MiB", mib), func(t *testing.T) { staysWithin(t, mib<<20, office(t)) })
	}
}

// office returns a pipe with the office trace of the corpus.
func office(t testing.TB) string {
	t.Helper()
	trace := corpus(t, "office-dev.pcap.zst")
	path := filepath.Join(t.TempDir(), "office")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	begin(t, exec.Command("sh", "-c", `exec "$0" -dqc "$1" >"$2"`, need(t, "zstd"), trace, path))
	return path
}

// staysWithin fills a cache, has it dumped and returns the residence then.
func staysWithin(t *testing.T, budget int64, file string) residence {
	t.Helper()
	s := start(t, "", "--ram-size", strconv.FormatInt(budget, 10), "--replay", file)
	st := s.awaitReplay()
	if st.Memory.UsedBytes > budget || st.Memory.BudgetBytes != budget {
		t.Errorf("%d bytes used of %d, the budget is %d", st.Memory.UsedBytes, st.Memory.BudgetBytes, budget)
	}
	if st.Memory.CacheBytes < budget*8/10 || st.Totals.Evicted.Packets == 0 {
		t.Errorf("packets take only %d bytes of %d, %d were evicted", st.Memory.CacheBytes, budget, st.Totals.Evicted.Packets)
	}
	residenceOf(t, s).fits(t, "full", budget)

	// Filters make the reading slow enough for all to be at it at once.
	stuck := s.connect()
	var readers sync.WaitGroup
	for n := range 11 {
		conn := s.connect()
		if n%2 == 0 {
			_, _ = conn.Write([]byte("ip or ip6"))
		}
		readers.Go(func() {
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if n, err := io.Copy(io.Discard, conn); err != nil || n < budget/2 {
				t.Errorf("%d bytes came, %v", n, err)
			}
		})
	}
	readers.Wait()
	s.await("one stuck dump and no other", func(st control.Status) bool { return st.Dumps.Active == 1 && st.Dumps.Served == 11 })
	after := residenceOf(t, s)
	after.fits(t, "after 12 dumps at once", budget)
	_ = stuck.Close()
	return after
}

// Captured live, the rings count too.
func TestMemoryLive(t *testing.T) {
	w := newWire(t)
	const budget = 40 << 20
	s := start(t, w.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	server := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(server.stdout.String(), "listening") })
	w.a.must(t, "iperf3", "-c", plain4, "-n", "150M", "-P", "4")
	s.await("evictions", func(st control.Status) bool { return st.Totals.Evicted.Packets > 0 })
	residenceOf(t, s).fits(t, "full", budget)
	var readers sync.WaitGroup
	stuck := s.connect()
	for range 8 {
		conn := s.connect()
		readers.Go(func() { slurp(t, conn) })
	}
	readers.Wait()
	residenceOf(t, s).fitsWhole(t, "after 9 dumps at once", budget)
	_ = stuck.Close()
}

// From the start of the process on it takes less than a fifth of a second until
// packets are recorded; here ten times that is allowed, as the machine may be
// busy, and the best of a few starts is told.
func TestStartToCapturing(t *testing.T) {
	w := newWire(t)
	best := time.Hour
	for range 5 {
		s := launch(t, w.a, "--ram-size", "256MiB")
		var took time.Duration
		for took == 0 {
			st, err := s.client.Status(t.Context())
			switch {
			case err == nil && st.State == control.StateCapturing:
				took = time.Since(s.begun)
			case time.Since(s.begun) > patience:
				t.Fatalf("not capturing after %v: %v\n%s", patience, err, s.tail())
			default:
				time.Sleep(time.Millisecond)
			}
		}
		best = min(best, took)
		s.stop(15)
	}
	t.Logf("capturing %v after the start", best.Round(time.Millisecond))
	if best > 2*time.Second {
		t.Errorf("capturing only %v after the start, want at most 200 ms on an idle machine", best)
	}
}

// Sealing the cache and reading it back take no more.
func TestMemoryOfKeeping(t *testing.T) {
	w := newWire(t)
	dir := shortDir(t)
	const budget = 40 << 20
	args := []string{"--ram-size", "40MiB", "--checkpoint-interval", "1s"}
	s := startAt(t, w.a, dir, args...)
	server := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(server.stdout.String(), "listening") })
	w.a.must(t, "iperf3", "-c", plain4, "-n", "150M", "-P", "4")
	full := s.await("evictions", func(st control.Status) bool { return st.Totals.Evicted.Packets > 0 }).Time
	s.await("a checkpoint of the full cache", func(st control.Status) bool {
		return st.Persistence.LastSave != nil && st.Persistence.LastSave.Time.After(full)
	})
	residenceOf(t, s).fitsWhole(t, "after checkpoints", budget)
	s.stop(syscall.SIGTERM)

	s = startAt(t, w.a, dir, args...)
	if r := s.status().Persistence.Restore; r == nil || r.Bytes < budget/2 {
		t.Errorf("restored %+v", r)
	}
	residenceOf(t, s).fitsWhole(t, "after the restore", budget)
	w.a.must(t, "iperf3", "-c", plain4, "-n", "50M")
	restored := time.Now()
	s.await("one more checkpoint", func(st control.Status) bool {
		return st.Persistence.LastSave != nil && st.Persistence.LastSave.Time.After(restored)
	})
	slurp(t, s.connect())
	residenceOf(t, s).fitsWhole(t, "with all of it", budget)
}
