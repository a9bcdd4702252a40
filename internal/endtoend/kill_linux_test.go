package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// kills is how often TestKilled does it; see soak_linux_test.go.
const kills = 20

// The text that stands in each packet of the test, and nowhere on a disk.
const secret = "not to be read by anybody"

// stream sends numbered texts to an address without an end, about so many in a
// second.
func stream(args []string) error {
	conn, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	var rate int
	if _, err := fmt.Sscan(args[1], &rate); err != nil {
		return err
	}
	begun := time.Now()
	for n := 0; ; n++ {
		time.Sleep(time.Until(begun.Add(time.Duration(n) * time.Second / time.Duration(rate))))
		_, _ = fmt.Fprintf(conn, "%s %09d", args[2], n) // nobody may listen there
	}
}

// Killed at any moment, the service starts again, and all is there that was
// recorded up to the last checkpoint; at no time can it be read from the disk.
func TestKilled(t *testing.T) { killed(t, kills) }

func killed(t *testing.T, times int) {
	w := newWire(t)
	dir := shortDir(t)
	data := filepath.Join(dir, "data")
	tcpdump := startTcpdump(t, w.a)
	sender := begin(t, w.a.role(t, "stream", net.JoinHostPort(plain4, "9"), "500", secret))
	defer func() { _ = sender.cmd.Process.Kill() }()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	// The windows of time in which packets have to be there.
	type window struct{ from, to time.Time }
	var promised []window
	checkpoints := 0
	for n := range times {
		s := launchAt(t, w.a, dir, "--ram-size", "64MiB", "--checkpoint-interval", "1s", "--log-level", "debug")
		s.signal = true // it does not end in good order
		watch := watchDisk(t, s, data)
		st := s.await("capturing", func(st control.Status) bool {
			return interfaceOf(st, "wire0").State == control.InterfaceCapturing && st.Persistence.State != control.PersistenceRestoring
		})
		since := interfaceOf(st, "wire0").Since
		if r := st.Persistence.Restore; n > 0 && checkpoints > 0 && (r == nil || r.Damage != "" || r.Missing.Packets > 0) {
			t.Errorf("kill %d: restored %+v\n%s", n, r, s.tail())
		}
		if len(st.Persistence.SetAside) > 0 || st.Persistence.Problem != "" {
			t.Fatalf("kill %d: %+v\n%s", n, st.Persistence, s.tail())
		}
		end := time.Now().Add(time.Duration(random.Int64N(int64(2500 * time.Millisecond))))
		if to := lastSaved(s, end); !to.IsZero() {
			promised = append(promised, window{since, to})
			checkpoints++
		}
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-s.ended
		s.client.Close()
		watch()
	}
	t.Logf("%d kills, %d of them after a checkpoint", times, checkpoints)

	s := startAt(t, w.a, dir, "--ram-size", "64MiB")
	last := "last " + dir
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), last)
	var dump string
	eventually(t, "the last packet in the dump", func() bool {
		dump = s.dump("--format", "pcapng")
		return holds(t, dump, last)
	})
	s.stop(syscall.SIGTERM)
	got := map[string]bool{}
	for _, r := range sound(t, dump) {
		got[r.data] = true
	}
	want, missing := 0, 0
	for _, r := range tcpdump.between(t, secret, last) {
		at := time.Unix(0, r.time)
		for _, p := range promised {
			// An interface is said to be recorded a moment after it is.
			if at.After(p.from.Add(100*time.Millisecond)) && !at.After(p.to) && bytes.Contains([]byte(r.data), []byte(secret)) {
				if want++; !got[r.data] {
					missing++
					t.Logf("missing: %v after the start of capture, %v before the checkpoint", at.Sub(p.from), p.to.Sub(at))
				}
			}
		}
	}
	if missing > 0 || want < 100*checkpoints {
		t.Errorf("of %d packets before checkpoints %d are missing", want, missing)
	}
	t.Logf("%d packets before checkpoints", want)
}

// lastSaved watches a service until end, and returns the time of a packet that was
// there before its last checkpoint began; zero if there was none.
func lastSaved(s *service, end time.Time) (newest time.Time) {
	var seen []control.Status
	for time.Now().Before(end) {
		st := s.status()
		seen = append(seen, st)
		if save := st.Persistence.LastSave; save != nil {
			for len(seen) > 0 && !seen[0].Time.After(save.Time) {
				newest, seen = seen[0].NewestPacket, seen[1:]
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return newest
}

// watchDisk looks for the secret in all files of the data directory and in those
// that the service has open, again and again until it is ended, and then once more.
func watchDisk(t *testing.T, s *service, data string) (end func()) {
	t.Helper()
	stop := make(chan struct{})
	var look sync.WaitGroup
	look.Go(func() {
		for {
			findSecret(t, data, s.cmd.Process.Pid)
			select {
			case <-stop:
				findSecret(t, data, s.cmd.Process.Pid)
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() {
		close(stop)
		look.Wait()
	}
}

func findSecret(t *testing.T, data string, pid int) {
	paths, err := filepath.Glob(filepath.Join(data, "*"))
	if err != nil {
		t.Error(err)
	}
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, path := range append(paths, open...) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue // gone, or no file
		}
		file, err := os.Open(path)
		if err != nil {
			// ENXIO: it is none, such as that of epoll(7).
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENXIO) {
				t.Errorf("looking into %s: %v", path, err)
			}
			continue
		}
		text, err := io.ReadAll(file)
		file.Close()
		if err == nil && bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s holds packets that can be read", path)
		}
	}
}
