package service

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A fakeSystemctl stands in PATH in place of the real one, writes down how it
// was called, and fails where the test wants it to.
type fakeSystemctl struct {
	options Options
	unit    string // path of the unit file
	log     string
	dir     string
}

var testNumber atomic.Int32

func newFakeSystemctl(t *testing.T) fakeSystemctl {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("managing services needs root")
	}
	dir := t.TempDir()
	f := fakeSystemctl{log: filepath.Join(dir, "log"), dir: dir}
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >>%s/log\n[ ! -e %s/fail-$1 ] || exit $(cat %s/fail-$1)\n", dir, dir, dir)
	for name, text := range map[string]string{"systemctl": script, "packetcache": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	name := fmt.Sprintf("packetcache-test-%d-%d", os.Getpid(), testNumber.Add(1))
	f.options = Options{Name: name, Binary: filepath.Join(dir, "packetcache")}
	f.unit = filepath.Join(unitDir, name+".service")
	t.Cleanup(func() { os.Remove(f.unit) })
	return f
}

// fail makes a command of systemctl end with an exit code.
func (f fakeSystemctl) fail(t *testing.T, command string, code int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "fail-"+command), fmt.Append(nil, code), 0o600); err != nil {
		t.Fatal(err)
	}
}

// calls returns the calls since the last time, with the unit's name as UNIT.
func (f fakeSystemctl) calls(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(f.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	os.Remove(f.log)
	return strings.ReplaceAll(strings.TrimSpace(string(text)), f.options.Name+".service", "UNIT")
}

func TestInstallAndUninstall(t *testing.T) {
	f := newFakeSystemctl(t)
	var found Outcome
	f.options.Report = func(o Outcome) { found = o }
	for i, calls := range []string{"", "is-active --quiet UNIT\n", "is-active --quiet UNIT\n"} {
		if i == 2 {
			f.fail(t, "is-active", 3)
		}
		if err := Control(Install, f.options); err != nil {
			t.Fatal(err)
		}
		if got := f.calls(t); got != calls+"enable UNIT\ndaemon-reload" {
			t.Errorf("systemctl was called with\n%s", got)
		}
		// One that was installed before may be running.
		if found.Running != (i == 1) {
			t.Errorf("installed for the %d. time: %+v", i+1, found)
		}
		text, err := os.ReadFile(f.unit)
		if err != nil || !strings.Contains(string(text), "ExecStart="+f.options.Binary+"\n") {
			t.Fatalf("unit: %v\n%s", err, text)
		}
		if info, err := os.Stat(f.unit); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("unit: %v, %v", info.Mode(), err)
		}
	}
	if err := Control(Uninstall, f.options); err != nil {
		t.Fatal(err)
	}
	if got := f.calls(t); got != "stop UNIT\ndisable UNIT\ndaemon-reload" {
		t.Errorf("systemctl was called with\n%s", got)
	}
	if _, err := os.Stat(f.unit); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unit is still there: %v", err)
	}
	if err := Control(Uninstall, f.options); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("a second uninstall: %v, want ErrNotInstalled", err)
	}
}

// A data-dir of somebody's choice is made, since the service may not do so.
func TestInstallMakesDataDir(t *testing.T) {
	f := newFakeSystemctl(t)
	f.options.DataDir = filepath.Join(f.dir, "data")
	if err := Control(Install, f.options); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.options.DataDir); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("it made %v, %v", info, err)
	}
	if text, err := os.ReadFile(f.unit); err != nil || !strings.Contains(string(text), "ReadWritePaths=-"+f.options.DataDir+"\n") {
		t.Errorf("unit: %v\n%s", err, text)
	}
}

func TestInstallFails(t *testing.T) {
	f := newFakeSystemctl(t)
	f.fail(t, "enable", 1)
	if err := Control(Install, f.options); !saysFailed(err) {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	if _, err := os.Stat(f.unit); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unit was left behind: %v", err)
	}
	// An earlier unit comes back.
	if err := os.WriteFile(f.unit, []byte("# earlier\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Control(Install, f.options); err == nil {
		t.Error("no error")
	}
	if text, err := os.ReadFile(f.unit); err != nil || string(text) != "# earlier\n" {
		t.Errorf("the earlier unit: %q, %v", text, err)
	}
}

func TestInstallRefuses(t *testing.T) {
	f := newFakeSystemctl(t)
	plain := filepath.Join(f.dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing there":    {func(o *Options) { o.Binary = filepath.Join(f.dir, "none") }, "give --binary"},
		"a directory":      {func(o *Options) { o.Binary = f.dir }, "is not a program"},
		"no program":       {func(o *Options) { o.Binary = plain }, "is not a program"},
		"beside us":        {func(o *Options) { o.Binary = "" }, "give --binary"},
		"an open data-dir": {func(o *Options) { o.DataDir = f.dir }, "data-dir: "},
		"no such group":    {func(o *Options) { o.SocketGroup = "packetcache-no-such-group" }, "socket-group"},
	} {
		t.Run(name, func(t *testing.T) {
			o := f.options
			test.change(&o)
			if err := Control(Install, o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if got := f.calls(t); got != "" {
				t.Errorf("systemctl was called with\n%s", got)
			}
		})
	}
}

func TestStartStopRestart(t *testing.T) {
	f := newFakeSystemctl(t)
	for _, action := range []Action{Start, Stop, Restart} {
		if err := Control(action, f.options); err != nil {
			t.Errorf("%s: %v", action, err)
		}
		if got := f.calls(t); got != string(action)+" UNIT" {
			t.Errorf("%s: systemctl was called with\n%s", action, got)
		}
		for code, want := range map[int]error{exitNotInstalled: ErrNotInstalled, exitNoPermission: ErrPermission} {
			f.fail(t, string(action), code)
			if err := Control(action, f.options); !errors.Is(err, want) {
				t.Errorf("%s with exit code %d: %v, want %v", action, code, err, want)
			}
		}
		f.fail(t, string(action), 1)
		if err := Control(action, f.options); !saysFailed(err) {
			t.Errorf("%s: %v, want an error that says what to do", action, err)
		}
		f.calls(t)
	}
	if err := Control("explode", f.options); err == nil {
		t.Error("an unknown action was done")
	}
}

// saysFailed reports whether an error says where to look for the cause, or that there
// is no systemd that could have done it.
func saysFailed(err error) bool {
	if _, statErr := os.Stat(bootedDir); statErr != nil {
		return errors.Is(err, ErrNoManager)
	}
	return err != nil && strings.Contains(err.Error(), "exit status 1; see systemctl status ")
}

func TestNoSystemd(t *testing.T) {
	f := newFakeSystemctl(t)
	t.Setenv("PATH", t.TempDir())
	if err := Control(Start, f.options); !errors.Is(err, ErrNoManager) || !strings.Contains(err.Error(), "no systemctl") {
		t.Errorf("got %v, want an error that says what is missing", err)
	}
}

// Run again as another user, this test is the helper of TestNotRoot.
func TestNotRoot(t *testing.T) {
	if os.Getenv("PACKETCACHE_TEST_NOT_ROOT") != "" {
		if os.Geteuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				t.Fatal(err)
			}
		}
		for _, action := range []Action{Install, Uninstall, Start, Stop, Restart} {
			if err := Control(action, Options{Name: "packetcache-test"}); !errors.Is(err, ErrPermission) {
				t.Errorf("%s: %v, want ErrPermission", action, err)
			}
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestNotRoot$", "-test.v")
	cmd.Env = append(os.Environ(), "PACKETCACHE_TEST_NOT_ROOT=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestNotRoot") {
		t.Errorf("%v\n%s", err, out)
	}
}
