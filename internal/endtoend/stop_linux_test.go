package endtoend

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// stopsWithin is how long a stop may take: 5 s, and as much again for a busy
// machine.
const stopsWithin = 10 * time.Second

// However it is told to, the service stops soon and in good order, also with
// readers that never end.
func TestStop(t *testing.T) {
	file := bulk(t, 24<<20, 200)
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(how.String(), func(t *testing.T) {
			s := start(t, "", "--ram-size", "40MiB", "--replay", file)
			s.awaitReplay()
			for range 3 {
				s.connect()
			}
			stuckControl(t, s)
			s.await("4 dumps that hang", func(st control.Status) bool { return st.Dumps.Active == 4 })
			took := s.stop(how)
			t.Logf("stopped after %v with 4 dumps under way", took.Round(time.Millisecond))
			if took > stopsWithin {
				t.Errorf("the stop took %v", took)
			}
			if _, err := os.Stat(s.socket()); err == nil {
				t.Error("the socket is still there")
			}
			for _, words := range []string{"Dump broken off", "PacketCache stopped"} {
				if !strings.Contains(s.log.String(), words) {
					t.Errorf("the log lacks %q:\n%s", words, s.log.String())
				}
			}
		})
	}
	t.Run("idle", func(t *testing.T) {
		s := start(t, "", "--ram-size", "40MiB", "--replay", file)
		s.awaitReplay()
		t.Logf("stopped after %v", s.stop(syscall.SIGTERM).Round(time.Millisecond))
		if out := s.stdout.String(); !strings.Contains(out, "packets captured, 0 packets dropped") {
			t.Errorf("it takes its leave with\n%s", out)
		}
	})
	t.Run("in a replay", func(t *testing.T) {
		s := start(t, "", "--ram-size", "40MiB", "--replay", bulkPipe(t, 1<<40, 10))
		s.await("packets", func(st control.Status) bool { return st.Totals.Seen.Packets > 1000 })
		if took := s.stop(syscall.SIGTERM); took > stopsWithin {
			t.Errorf("the stop took %v", took)
		}
	})
}

// A dump that is read goes on to its end while the service stops.
func TestStopLetsDumpsEnd(t *testing.T) {
	s := start(t, "", "--ram-size", "40MiB", "--replay", bulk(t, 24<<20, 200))
	s.awaitReplay()
	want := len(slurp(t, s.connect()))
	conn := s.connect()
	s.await("the dump under way", func(st control.Status) bool { return st.Dumps.Active == 1 })
	s.signal = true
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stop", func() bool { _, err := os.Stat(s.socket()); return err != nil })
	if got := len(slurp(t, conn)); got != want {
		t.Errorf("%d bytes came, want %d", got, want)
	}
	if code := s.exitCode(t, patience); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.tail())
	}
}

// stuckControl begins a dump on the control endpoint and does not read it.
func stuckControl(t *testing.T, s *service) {
	t.Helper()
	conn := dialControl(t, s)
	fmt.Fprintf(conn, "%s /v1/dump HTTP/1.1\r\nHost: x\r\n\r\n", http.MethodGet)
}

// Two services with endpoints of their own do not meet.
func TestTwoServices(t *testing.T) {
	w := newWire(t)
	a := start(t, w.a, "--ram-size", "8MiB")
	b := start(t, w.a, "--ram-size", "8MiB", "--interface", "nothing*")
	a.awaitInterface("wire0", control.InterfaceCapturing)
	b.awaitInterface("wire0", control.InterfaceExcluded)
	c := start(t, w.a, "--ram-size", "8MiB")
	c.awaitInterface("wire0", control.InterfaceCapturing)
	w.a.must(t, "ping", "-n", "-c", "5", "-i", "0.01", plain4)
	for _, s := range []*service{a, c} {
		s.await("the pings", func(st control.Status) bool { return st.Totals.Stored.Packets >= 10 })
	}
	if n := b.status().Totals.Seen.Packets; n != 0 {
		t.Errorf("the service without interfaces saw %d packets", n)
	}
	b.stop(syscall.SIGTERM)
	if st := a.status(); st.State != control.StateCapturing {
		t.Errorf("after the stop of another the state is %s", st.State)
	}
}
