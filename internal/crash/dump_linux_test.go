package crash

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain makes the test binary a service that has a secret in its memory and
// crashes.
func TestMain(m *testing.M) {
	how := os.Getenv("CRASH_HOW")
	if how == "" {
		os.Exit(m.Run())
	}
	if os.Getenv("CRASH_KEEP") != "" {
		if err := KeepMemory(); err != nil {
			os.Exit(99)
		}
	}
	if _, _, err := Watch(""); err != nil {
		os.Exit(99)
	}
	secret := bytes.Repeat([]byte("GET /"+"secret HTTP/1.1"), 1000)
	crashes[how]()
	time.Sleep(time.Minute)
	runtime.KeepAlive(secret)
}

// crashes are ways to end a process, by what the runtime says of them.
var crashes = map[string]func(){
	"SIGABRT":            func() { _ = unix.Kill(os.Getpid(), unix.SIGABRT) },
	"SIGSEGV":            func() { _ = unix.Kill(os.Getpid(), unix.SIGSEGV) },
	"a crash for a test": func() { panic("a crash for a test") },
}

// crash ends a process in a directory of its own and returns what that has then.
func crash(t *testing.T, how string, keep bool) (files map[string]string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -c "$(ulimit -H -c)" && exec "$0"`, self)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "CRASH_HOW="+how)
	if keep {
		cmd.Env = append(cmd.Env, "CRASH_KEEP=1")
	}
	out, _ := cmd.CombinedOutput()
	// By exit code 2, which Go has for crashes, systemd would not start it again.
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGABRT {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
	if !bytes.Contains(out, []byte(how)) || !bytes.Contains(out, []byte("goroutine ")) {
		t.Errorf("the runtime has not said what happened:\n%s", out)
	}
	if bytes.Contains(out, []byte("secret HTTP")) {
		t.Errorf("it printed what it worked with:\n%s", out)
	}
	files = map[string]string{}
	paths, err := filepath.Glob(filepath.Join(cmd.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	return files
}

// However it is ended, it leaves no core file, where one that does not ask for that
// does. The traces are printed all the same.
func TestKeepMemory(t *testing.T) {
	for how := range crashes {
		t.Run(how, func(t *testing.T) {
			if files := crash(t, how, true); len(files) > 0 {
				t.Errorf("it left %d files", len(files))
			}
			found := false
			for _, text := range crash(t, how, false) {
				found = found || strings.Contains(text, "GET /"+"secret HTTP/1.1")
			}
			if !found {
				t.Skip("this machine does not write core files where a process runs")
			}
		})
	}
}

func TestKeptMemory(t *testing.T) {
	// Of this process, which is not to be debugged then.
	if err := KeepMemory(); err != nil {
		t.Fatal(err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("the process is dumpable: %d, %v", dumpable, err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit != (unix.Rlimit{}) {
		t.Errorf("the limit is %+v, %v", limit, err)
	}
	for _, path := range []string{"/proc/self/maps", "/proc/self/status", "/proc/self/cgroup", "/proc/self/exe"} {
		if f, err := os.Open(path); err != nil {
			t.Error(err)
		} else {
			_ = f.Close()
		}
	}
}
