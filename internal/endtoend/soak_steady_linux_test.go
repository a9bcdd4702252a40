//go:build soak

package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// TestSoakSteady sends 100 Mbit/s of the office trace for a minute, with other
// addresses each time it comes to its end: the whole process takes at most 5 %
// of a processor, compression included, and drops nothing.
func TestSoakSteady(t *testing.T) {
	file, err := trace.Corpus("../..", "office-dev.pcap.zst")
	if err != nil {
		t.Skip(err)
	}
	frames := framesOf(t, file)
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "160MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	enter(t, w.b)
	const (
		rate   = 100_000_000 / 8
		settle = 15 * time.Second // until what may be used at once has been
		length = 75 * time.Second
		chunk  = 1024
	)
	begun, sent, round := time.Now(), 0, byte(0)
	var before, from time.Duration
	for at := 0; time.Since(begun) < length; at += chunk {
		if from == 0 && time.Since(begun) > settle {
			from, before = time.Since(begun), processTime(t, s)
		}
		if at+chunk > len(frames) {
			at, round = 0, round+1
		}
		for _, f := range frames[at : at+chunk] {
			f[27], f[31] = f[27]^round, f[31]^round // of the IPv4 addresses
			sent += len(f)
		}
		capturetest.Send(t, "wire0", frames[at:at+chunk]...)
		time.Sleep(time.Duration(sent)*time.Second/rate - time.Since(begun))
	}
	share := float64(processTime(t, s)-before) / float64(time.Since(begun)-from)
	st := s.status()
	t.Logf("%.1f %% of a processor at %.0f Mbit/s; %+v", 100*share, float64(sent)*8/1e6/time.Since(begun).Seconds(), st.Memory)
	if share > 0.05 {
		t.Errorf("takes %.1f %% of a processor, want at most 5", 100*share)
	}
	if st.Totals.Dropped > 0 {
		t.Errorf("%d of %d packets dropped", st.Totals.Dropped, st.Totals.Seen.Packets)
	}
}

// enter takes the test to a namespace, whose thread ends with it.
func enter(t *testing.T, ns namespace) {
	t.Helper()
	runtime.LockOSThread()
	f, err := os.Open("/run/netns/" + string(ns))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
}

// framesOf are the packets of a trace that fit an Ethernet.
func framesOf(t *testing.T, file trace.File) (frames [][]byte) {
	t.Helper()
	err := trace.Each(file, func(_ []packet.Interface, packets []packet.Packet) error {
		for _, p := range packets {
			if len(p.Data) >= 60 && len(p.Data) <= 1514 {
				frames = append(frames, bytes.Clone(p.Data))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// processTime is what a service has spent of the processors (proc_pid_stat(5):
// utime and stime, in hundredths of a second).
func processTime(t *testing.T, s *service) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	var user, system int64
	if _, err := fmt.Sscan(fields[11], &user); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(fields[12], &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
