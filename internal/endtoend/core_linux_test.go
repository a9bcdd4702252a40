package endtoend

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever ends the service, and however large core files may be: there is none, and
// what the runtime prints has no packets. (That this machine writes core files is seen
// in internal/crash.)
func TestNoCoreFile(t *testing.T) {
	for _, how := range []syscall.Signal{syscall.SIGABRT, syscall.SIGSEGV} {
		t.Run(how.String(), func(t *testing.T) {
			dir := shortDir(t)
			cmd := exec.Command("sh", "-c", `ulimit -c "$(ulimit -H -c)" && exec "$@"`, "sh", program(t, "packetcache"),
				"--ram-size", "40MiB", "--replay", bulk(t, 1<<20, 20), "--endpoint-dir", dir, "--data-dir", filepath.Join(dir, "data"))
			cmd.Dir = t.TempDir()
			cmd.Env = append(cmd.Environ(), "GOTRACEBACK=crash")
			s := attend(t, dir, cmd)
			s.awaitReplay()
			s.signal = true
			if err := s.cmd.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			if code := s.exitCode(t, patience); code == 0 {
				t.Errorf("it ended in order:\n%s", s.tail())
			}
			if !strings.Contains(s.log.String(), "goroutine ") {
				t.Errorf("the runtime has not said what happened:\n%s", s.tail())
			}
			if files, err := filepath.Glob(filepath.Join(cmd.Dir, "*")); err != nil || len(files) > 0 {
				t.Errorf("it left %q, %v", files, err)
			}
		})
	}
}
