package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long something may take that should happen soon. It is
// generous: the machine may be busy with other things.
const patience = 60 * time.Second

// roleVariable makes the test binary one of the programs that tests run in
// namespaces; see roles.
const roleVariable = "PACKETCACHE_E2E_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role, os.Args[1:]))
	}
	sweepNamespaces()
	code := m.Run()
	if dir, err := builtPrograms(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// builtPrograms builds packetcache and pcctl once and returns their directory.
var builtPrograms = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pce2e")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "../../cmd/packetcache", "../../cmd/pcctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

// program returns the path of packetcache or pcctl.
func program(t testing.TB, name string) string {
	t.Helper()
	dir, err := builtPrograms()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// needRoot skips the test without root, and fails it there if CI=true.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	unavailable(t, "needs root for network namespaces and capturing")
}

// unavailable skips the test for want of something that CI has.
func unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// need finds a program that a test compares with.
func need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Debian keeps some of them where only root's PATH looks.
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			unavailable(t, name+" is not installed: scripts/test-deps.sh installs it")
		}
	}
	return path
}

// corpus returns a directory of the captures that are not part of the project.
func corpus(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("PACKETCACHE_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		unavailable(t, "no corpus of captures: "+err.Error())
	}
	return dir
}

// captures lists the capture files of a corpus directory.
func captures(t testing.TB, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".tsv" {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	if len(paths) == 0 {
		t.Fatalf("no captures in %s", dir)
	}
	return paths
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	within(t, patience, what, holds)
}

func within(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// A job is a program that runs beside the test. It is killed with the test.
type job struct {
	cmd         *exec.Cmd
	stdout, log text
	ended       chan struct{}
	err         error // of Wait, once ended is closed
}

// begin starts a program and sees to it that it ends with the test.
func begin(t testing.TB, cmd *exec.Cmd) *job {
	t.Helper()
	j := &job{cmd: cmd, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &j.stdout
	}
	cmd.Stderr = &j.log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		j.err = cmd.Wait()
		close(j.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-j.ended
	})
	return j
}

func (j *job) running() bool {
	select {
	case <-j.ended:
		return false
	default:
		return true
	}
}

// exitCode waits for the end and returns the code, -1 after a signal.
func (j *job) exitCode(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-j.ended:
	case <-time.After(limit):
		t.Fatalf("%v has not ended after %v; it says:\n%s", j.cmd.Args, limit, j.log.String())
	}
	return j.cmd.ProcessState.ExitCode()
}

// A text collects what a program prints, for reading while it runs.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// run runs a program to its end and returns what it printed and its exit code.
func run(t testing.TB, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	j := begin(t, exec.Command(name, args...))
	code = j.exitCode(t, patience)
	return j.stdout.String(), j.log.String(), code
}

// must runs a program that has to succeed and returns what it printed.
func must(t testing.TB, name string, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s%s", name, strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// alive reports whether a process exists.
func alive(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && syscall.Kill(n, 0) == nil
}
