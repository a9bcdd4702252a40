package endtoend

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// From connecting to the first byte of a dump it takes less than 10 ms. The best
// of a few tries counts, as the machine may be busy.
func TestFirstByte(t *testing.T) {
	s := start(t, "", "--ram-size", "40MiB", "--replay", office(t))
	s.awaitReplay()
	best := time.Hour
	for range 30 {
		begun := time.Now()
		conn, err := ipc.Dial(t.Context(), ipc.Control, s.dir)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(begun.Add(patience))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/v1/dump", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := req.Write(conn); err != nil {
			t.Fatal(err)
		}
		// Headers of HTTP go out with the file's own.
		answer := ""
		for !strings.Contains(answer, "\xd4\xc3\xb2\xa1") {
			b := make([]byte, 4096)
			n, err := conn.Read(b)
			if answer += string(b[:n]); err != nil {
				t.Fatalf("%v after %q", err, answer)
			}
		}
		best = min(best, time.Since(begun))
		_ = conn.Close()
	}
	t.Logf("the first byte came after %v", best)
	if best > 10*time.Millisecond {
		t.Errorf("the first byte of a dump came after %v, want at most 10 ms", best)
	}
}

// Dumps of a full cache, one after the other and two at a time, cost capture no
// packet.
func TestDumpsCostNoPackets(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "128MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	server := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(server.stdout.String(), "listening") })
	w.a.must(t, "iperf3", "-c", plain4, "-n", "150M")
	var before control.Status
	since := time.Now()
	s.await("the end of what was lost of that", func(st control.Status) bool { // drops are asked for once a second
		if st.Totals.Dropped != before.Totals.Dropped || st.Totals.Seen != before.Totals.Seen {
			before, since = st, time.Now()
		}
		return st.Totals.Evicted.Packets > 0 && time.Since(since) > 2*time.Second
	})

	sending := begin(t, w.a.command(need(t, "iperf3"), "-c", plain4, "-u", "-b", "100M", "-l", "1400", "-t", "4"))
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for sending.running() {
				result, err := s.client.Dump(t.Context(), control.DumpRequest{}, io.Discard, nil)
				if err != nil || result.Bytes < 64<<20 {
					t.Errorf("a dump of %d bytes, %v", result.Bytes, err)
					return
				}
			}
		})
	}
	readers.Wait()
	if code := sending.exitCode(t, patience); code != 0 {
		t.Fatalf("iperf3: exit code %d\n%s", code, sending.stdout.String())
	}
	after := s.status()
	seen := after.Totals.Seen.Packets - before.Totals.Seen.Packets
	t.Logf("%d packets captured during %d dumps", seen, after.Dumps.Served)
	if after.Totals.Dropped > before.Totals.Dropped || seen < 30_000 || after.Dumps.Served < 4 {
		t.Errorf("%d packets captured during %d dumps, %d dropped", seen, after.Dumps.Served, after.Totals.Dropped-before.Totals.Dropped)
	}
}
