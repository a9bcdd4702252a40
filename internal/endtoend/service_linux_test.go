package endtoend

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// A service is packetcache at work.
type service struct {
	t testing.TB
	*job
	dir    string // of the endpoints
	client *control.Client
	begun  time.Time
	signal bool // it was told to stop
}

// start runs packetcache in a namespace, in none if that is empty, and waits
// until it answers. When the test ends, it has to be still running and to stop
// in good order.
func start(t testing.TB, ns namespace, args ...string) *service {
	t.Helper()
	s := launch(t, ns, args...)
	s.await("an answer", func(control.Status) bool { return true })
	return s
}

// launch is start without waiting.
func launch(t testing.TB, ns namespace, args ...string) *service {
	t.Helper()
	return launchAt(t, ns, shortDir(t), args...)
}

// shortDir is t.TempDir, which is longer than a socket address may be.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pcrun") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func launchAt(t testing.TB, ns namespace, dir string, args ...string) *service {
	t.Helper()
	args = append([]string{"--endpoint-dir", dir, "--data-dir", filepath.Join(dir, "data")}, args...)
	return attend(t, dir, ns.command(program(t, "packetcache"), args...))
}

// attend starts a command that becomes the service at dir.
func attend(t testing.TB, dir string, cmd *exec.Cmd) *service {
	t.Helper()
	s := &service{t: t, dir: dir, begun: time.Now(), job: begin(t, cmd), client: control.NewClient(dir)}
	t.Cleanup(func() {
		s.client.Close()
		if !s.signal {
			s.stop(syscall.SIGTERM)
		}
	})
	return s
}

// stop ends the service and checks that it does so in good order. It returns
// how long that took.
func (s *service) stop(how syscall.Signal) time.Duration {
	s.t.Helper()
	s.signal = true
	if !s.running() {
		s.t.Errorf("the service ended by itself: %v\n%s", s.err, s.tail())
		return 0
	}
	begun := time.Now()
	if err := s.cmd.Process.Signal(how); err != nil {
		s.t.Error(err)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Errorf("the service has not ended %v after %v:\n%s", patience, how, s.tail())
		return patience
	}
	if s.err != nil {
		s.t.Errorf("the service ended with %v:\n%s", s.err, s.tail())
	}
	for _, word := range []string{"panic", "fatal error", "goroutine "} {
		if strings.Contains(s.log.String(), word) {
			s.t.Errorf("the service says %q:\n%s", word, s.tail())
		}
	}
	return time.Since(begun)
}

// tail is the end of what the service said.
func (s *service) tail() string {
	said := s.stdout.String() + s.log.String()
	return said[max(0, len(said)-8000):]
}

// status asks for the status.
func (s *service) status() control.Status {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	st, err := s.client.Status(ctx)
	if err != nil {
		s.t.Fatalf("no status: %v\n%s", err, s.tail())
	}
	return st
}

// await polls the status until the condition holds.
func (s *service) await(what string, holds func(control.Status) bool) control.Status {
	s.t.Helper()
	var last control.Status
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		st, err := s.client.Status(s.t.Context())
		if err == nil {
			if last = st; holds(st) {
				return st
			}
		}
		if !s.running() {
			s.t.Fatalf("the service has ended, waited for %s:\n%s", what, s.tail())
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %v: %s (%v); the status is %+v\n%s", patience, what, err, last, s.tail())
		}
	}
}

// awaitInterface waits for an interface to be in a state.
func (s *service) awaitInterface(name string, state control.InterfaceState) control.Interface {
	s.t.Helper()
	st := s.await(fmt.Sprintf("%s %s", name, state), func(st control.Status) bool {
		return interfaceOf(st, name).State == state
	})
	return interfaceOf(st, name)
}

// awaitReplay waits until all files have been read.
func (s *service) awaitReplay() control.Status {
	s.t.Helper()
	return s.await("the end of the replay", func(st control.Status) bool { return st.State == control.StateIdle })
}

// awaitLog waits until the service has logged something.
func (s *service) awaitLog(words string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for !strings.Contains(s.log.String(), words) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not logged within %v: %q; but\n%s", patience, words, s.tail())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func interfaceOf(st control.Status, name string) control.Interface {
	for _, i := range st.Interfaces {
		if i.Name == name {
			return i
		}
	}
	return control.Interface{ID: -1}
}

// socket is the path of the dump endpoint.
func (s *service) socket() string { return filepath.Join(s.dir, "PacketCache") }

// connect connects to the dump endpoint.
func (s *service) connect() *net.UnixConn {
	s.t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: s.socket(), Net: "unix"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// pcctl runs pcctl for the service.
func (s *service) pcctl(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	return run(s.t, program(s.t, "pcctl"), append([]string{"--endpoint-dir", s.dir}, args...)...)
}

// dump has pcctl write a file and returns its path.
func (s *service) dump(args ...string) string {
	s.t.Helper()
	path, _ := s.dumpSaying(args...)
	return path
}

// dumpSaying is dump that also returns what pcctl says.
func (s *service) dumpSaying(args ...string) (path, says string) {
	s.t.Helper()
	path = filepath.Join(s.t.TempDir(), "dump")
	stdout, stderr, code := s.pcctl(append([]string{"dump", "-w", path}, args...)...)
	if code != 0 || stdout != "" {
		s.t.Fatalf("pcctl dump %v: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return path, stderr
}
