package crash

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// crashes are ways to end a process that has a secret in its memory. (That in a
// library Wine does not tell Go of; docs/windows.md has it to be checked.)
var crashes = map[string]func(secret []byte){
	"panic": func(secret []byte) { _ = secret[len(os.Args)+10_000] },
	"in the runtime": func([]byte) {
		m := map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		time.Sleep(time.Minute)
	},
	"at a wrong address": func([]byte) {
		address := uintptr(1 << 40)
		_ = **(**byte)(unsafe.Pointer(&address))
	},
	"not": func([]byte) {},
}

const secretText = "GET /secret HTTP/1.1"

// TestMain makes the test binary a process that crashes.
func TestMain(m *testing.M) {
	how, dir := os.Getenv("CRASH_HOW"), os.Getenv("CRASH_DIR")
	if how == "" {
		os.Exit(m.Run())
	}
	_, end, err := Watch(dir)
	if err != nil {
		os.Exit(99)
	}
	if err := KeepMemory(); err != nil {
		os.Exit(99)
	}
	secret := bytes.Repeat([]byte(secretText), 100)
	crashes[how](secret)
	runtime.KeepAlive(unsafe.SliceData(secret))
	end()
	os.Exit(0)
}

// crash runs a process that crashes.
func crash(t *testing.T, how, dir string) (code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "CRASH_HOW="+how, "CRASH_DIR="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run()
	if code = cmd.ProcessState.ExitCode(); code == 99 {
		t.Fatal("the process could not watch")
	}
	if stderr.Len() > 0 {
		t.Errorf("%s: on standard error, which services do not have, is\n%s", how, &stderr)
	}
	return code
}

func TestWatch(t *testing.T) {
	for how, says := range map[string]string{
		"panic":              "index out of range",
		"in the runtime":     "concurrent map writes",
		"at a wrong address": "unexpected fault address",
	} {
		t.Run(how, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			before := time.Now().Add(-5 * time.Second) // a file's time is less exact
			if code := crash(t, how, dir); code == 0 {
				t.Fatal("the process did not crash")
			}
			last, end, err := Watch(dir)
			if err != nil {
				t.Fatal(err)
			}
			if last == nil {
				t.Fatal("nothing is known of the crash")
			}
			if !strings.Contains(last.Trace, says) || !strings.Contains(last.Trace, "crash.TestMain") && how == "panic" || len(last.Trace) > most {
				t.Errorf("kept is\n%s", last.Trace)
			}
			if strings.Contains(last.Trace, "secret HTTP") {
				t.Errorf("kept is what the process worked with:\n%s", last.Trace)
			}
			if last.Time.Before(before) || last.Time.After(time.Now().Add(5*time.Second)) {
				t.Errorf("it crashed at %v", last.Time)
			}
			if text, err := os.ReadFile(last.Path); err != nil || string(text) != last.Trace {
				t.Errorf("the file has %q, %v", text, err)
			}
			end()
			// It is told once, and stays until the next crash.
			last, end, err = Watch(dir)
			if err != nil || last != nil {
				t.Errorf("told again: %+v, %v", last, err)
			}
			end()
			if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
				t.Errorf("in the directory are %q, %v", names, err)
			}
		})
	}
}

// One that ends in order leaves nothing behind.
func TestWatchWithoutCrash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if code := crash(t, "not", dir); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is there: %v", err)
	}
}

// Traces of any length, and those of processes that were killed.
func TestCollect(t *testing.T) {
	for name, test := range map[string]struct{ size, want int }{
		"killed": {0, -1}, "short": {1, 1}, "long": {most + 1, most},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
			if err := os.WriteFile(from, bytes.Repeat([]byte("x"), test.size), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, []byte("an earlier one"), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := collect(from, to)
			if err != nil || (r == nil) != (test.want < 0) || r != nil && len(r.Trace) != test.want {
				t.Errorf("%+v, %v", r, err)
			}
			if _, err := os.Stat(from); !os.IsNotExist(err) {
				t.Errorf("what was collected is still there: %v", err)
			}
		})
	}
}
