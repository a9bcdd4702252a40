package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/packetcache/packetcache/eventlog"
)

// A testService is one in a directory of its own, with blanks in its name.
type testService struct {
	t   *testing.T
	o   Options
	dir string
}

func newTestService(t *testing.T) testService {
	t.Helper()
	if os.Getenv("PACKETCACHE_TEST_NO_SERVICES") != "" {
		t.Skip("PACKETCACHE_TEST_NO_SERVICES is set")
	}
	manager, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skip("managing services takes an administrator")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := manager.Disconnect(); err != nil {
		t.Error(err)
	}
	s := testService{t: t, dir: filepath.Join(t.TempDir(), "with a blank")}
	s.o = Options{Name: fmt.Sprintf("PacketCache-test-%d-%s", os.Getpid(), t.Name()), Binary: s.put("packetcache.exe")}
	s.mode("")
	t.Cleanup(func() {
		if err := Control(Uninstall, s.o); err != nil && !errors.Is(err, ErrNotInstalled) {
			t.Errorf("tidying up: %v", err)
		}
	})
	return s
}

// put copies this program into the directory.
func (s testService) put(name string) string {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		s.t.Fatal(err)
	}
	defer from.Close()
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(s.dir, name)
	to, err := os.Create(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		s.t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// mode is what the service does when it is started next.
func (s testService) mode(mode string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "mode"), []byte(mode), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s testService) do(actions ...Action) {
	s.t.Helper()
	for _, a := range actions {
		if err := Control(a, s.o); err != nil {
			s.t.Fatalf("%s: %v", a, err)
		}
	}
}

// look asks the service control manager.
func (s testService) look(f func(*mgr.Service)) {
	s.t.Helper()
	manager, err := mgr.Connect()
	if err != nil {
		s.t.Fatal(err)
	}
	defer manager.Disconnect()
	service, err := manager.OpenService(s.o.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer service.Close()
	f(service)
}

func (s testService) state() (state uint32) {
	s.t.Helper()
	s.look(func(service *mgr.Service) {
		status, err := service.Query()
		if err != nil {
			s.t.Fatal(err)
		}
		state = uint32(status.State)
	})
	return state
}

// excluded reports whether Windows Error Reporting is to leave the program alone.
func (s testService) excluded() bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows\Windows Error Reporting\ExcludedApplications`, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	value, _, err := key.GetIntegerValue(filepath.Base(s.o.Binary))
	return err == nil && value == 1
}

// eventSource is the file with the texts of its events, as registered.
func (s testService) eventSource() string {
	s.t.Helper()
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\`+s.o.Name, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return ""
	} else if err != nil {
		s.t.Fatal(err)
	}
	defer key.Close()
	file, _, err := key.GetStringValue("EventMessageFile")
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

func TestServiceLife(t *testing.T) {
	s := newTestService(t)
	for _, a := range []Action{Start, Stop, Restart, Uninstall} {
		if err := Control(a, s.o); !errors.Is(err, ErrNotInstalled) {
			t.Errorf("%s before the install: %v", a, err)
		}
	}
	s.do(Install, Install)
	if got := s.state(); got != windows.SERVICE_STOPPED {
		t.Errorf("installed it is in state %d", got)
	}
	s.look(func(service *mgr.Service) {
		line, err := commandLine(service.Handle)
		if want := `"` + s.o.Binary + `"`; err != nil || line != want {
			t.Errorf("it runs %s, %v; want %s", line, err, want)
		}
	})
	if got, want := s.eventSource(), filepath.Join(s.dir, eventlog.DLL); got != want {
		t.Errorf("Event Viewer finds its texts in %q, want %q", got, want)
	}
	s.do(Start, Start)
	if got := s.state(); got != windows.SERVICE_RUNNING {
		t.Errorf("started it is in state %d", got)
	}
	if got, err := os.ReadFile(filepath.Join(s.dir, "arguments")); err != nil || string(got) != "[]" {
		t.Errorf("it was given %s, %v", got, err)
	}
	s.do(Restart, Stop, Stop)
	if got := s.state(); got != windows.SERVICE_STOPPED {
		t.Errorf("stopped it is in state %d", got)
	}
	// Its process has ended, so its program can be replaced.
	if err := os.Remove(s.o.Binary); err != nil {
		t.Error(err)
	}
	s.put("packetcache.exe")
	s.do(Restart)
	if got := s.state(); got != windows.SERVICE_RUNNING {
		t.Errorf("restarted it is in state %d", got)
	}
	s.do(Uninstall)
	if err := Control(Uninstall, s.o); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("a second uninstall: %v", err)
	}
	if got := s.eventSource(); got != "" {
		t.Errorf("Event Viewer still looks for its texts in %q", got)
	}
	if err := os.Remove(s.o.Binary); err != nil {
		t.Error(err)
	}
}

// What Windows writes of a crash has nothing of the memory of the service, as long as
// it is installed. The name is its own, since others are tested at the same time.
func TestExclusion(t *testing.T) {
	s := newTestService(t)
	s.o.Binary = s.put(s.o.Name + ".exe")
	s.do(Install)
	if !s.excluded() {
		t.Error("Windows Error Reporting concerns itself with the service")
	}
	s.do(Uninstall)
	if s.excluded() {
		t.Error("it is still on the list after it was removed")
	}
}

func TestRegistration(t *testing.T) {
	s := newTestService(t)
	s.do(Install)
	s.look(func(service *mgr.Service) {
		if actions, err := service.RecoveryActions(); !unsupported(err) && (err != nil || !slices.Equal(actions, recovery)) {
			t.Errorf("recovery: %v, %v", actions, err)
		}
		if on, err := service.RecoveryActionsOnNonCrashFailures(); !unsupported(err) && (err != nil || !on) {
			t.Errorf("recovery of failures that are reported: %v, %v", on, err)
		}
		known := 0
		for _, trait := range traits() {
			switch missing, err := trait.missing(service); {
			case unsupported(err):
				t.Logf("this system does not know: %s", trait.name)
			case err != nil || missing:
				t.Errorf("%s: missing %v, %v", trait.name, missing, err)
			default:
				known++
			}
		}
		if known == 0 {
			t.Error("nothing of the registration can be read back")
		}
	})
}

// What sc create has registered, here without quotes around a path with blanks,
// is completed by the service when it runs, and keeps its argument when it is
// pointed elsewhere.
func TestRegisteredByOthers(t *testing.T) {
	s := newTestService(t)
	out, err := exec.Command("sc.exe", "create", s.o.Name, "binPath=", s.o.Binary+" 5", "start=", "auto").CombinedOutput()
	if err != nil {
		t.Fatalf("sc create: %v\n%s", err, out)
	}
	arguments := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(s.dir, "arguments")); err != nil || string(got) != want {
			t.Errorf("it was given %s, %v; want %s", got, err, want)
		}
	}
	s.do(Start)
	arguments(`["5"]`)
	s.look(func(service *mgr.Service) {
		deadline := time.Now().Add(time.Minute)
		for _, trait := range traits() {
			for {
				missing, err := trait.missing(service)
				if unsupported(err) || err == nil && !missing {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the running service has not set its %s: %v", trait.name, err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	})
	s.look(func(service *mgr.Service) {
		if line, err := commandLine(service.Handle); err != nil || line != `"`+s.o.Binary+`" 5` {
			t.Errorf("it runs %s, %v", line, err)
		}
	})
	s.do(Stop)
	s.o.Binary = s.put("packetcache-2.exe")
	s.do(Install, Start)
	arguments(`["5"]`)
	s.look(func(service *mgr.Service) {
		if line, err := commandLine(service.Handle); err != nil || line != `"`+s.o.Binary+`" 5` {
			t.Errorf("it runs %s, %v", line, err)
		}
	})
}

func TestStartFails(t *testing.T) {
	s := newTestService(t)
	s.do(Install)
	s.mode("fails")
	err := Control(Start, s.o)
	if err == nil || !strings.Contains(err.Error(), "exit code 7: the memory for the packets") {
		t.Errorf("got %v, want the exit code in words", err)
	}
	s.mode("")
	s.do(Start)
}

// A service that takes its time is waited for, and the user told.
func TestSlowService(t *testing.T) {
	s := newTestService(t)
	s.do(Install)
	s.mode("slow")
	var told []time.Duration
	s.o.Progress = func(waited time.Duration) { told = append(told, waited) }
	for _, a := range []Action{Start, Stop} {
		told = nil
		begun := time.Now()
		s.do(a)
		if took := time.Since(begun); took < 2*time.Second || len(told) < 2 || !slices.IsSorted(told) {
			t.Errorf("%s: after %v, told %v", a, took, told)
		}
	}
}

// One that is still starting is stopped when it has started.
func TestStopOfAStartingService(t *testing.T) {
	s := newTestService(t)
	s.do(Install)
	s.mode("slow")
	s.look(func(service *mgr.Service) {
		if err := service.Start(); err != nil {
			t.Fatal(err)
		}
	})
	if got := s.state(); got != windows.SERVICE_START_PENDING {
		t.Fatalf("it is in state %d", got)
	}
	s.do(Stop)
	if got := s.state(); got != windows.SERVICE_STOPPED {
		t.Errorf("stopped it is in state %d", got)
	}
}

// What is registered under our name and is not ours is left alone.
func TestForeignService(t *testing.T) {
	s := newTestService(t)
	foreign := filepath.Join(os.Getenv("SystemRoot"), "system32", "cmd.exe")
	manager, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Disconnect()
	service, err := manager.CreateService(s.o.Name, foreign, mgr.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Delete(); err != nil {
			t.Error(err)
		}
		service.Close()
	})
	for _, a := range []Action{Install, Start, Stop, Restart, Uninstall} {
		if err := Control(a, s.o); !errors.Is(err, ErrForeign) || !strings.Contains(strings.ToLower(err.Error()), "cmd.exe") {
			t.Errorf("%s: %v, want ErrForeign and the program's name", a, err)
		}
	}
	if line, err := commandLine(service.Handle); err != nil || !strings.EqualFold(line, foreign) {
		t.Errorf("now it runs %s, %v", line, err)
	}
}

func TestSplitCommandLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Program Files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "packet cache.exe")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bare := strings.TrimSuffix(program, ".exe")
	for _, test := range []struct{ line, program, rest string }{
		{`"C:\a b\c.exe" 5`, `C:\a b\c.exe`, ` 5`},
		{`"C:\a b\c.exe"`, `C:\a b\c.exe`, ``},
		{` "C:\a b\c.exe"  --exclude "x y"`, `C:\a b\c.exe`, `  --exclude "x y"`},
		{`C:\nowhere\c.exe 5`, `C:\nowhere\c.exe`, ` 5`},
		{`C:\nowhere\c.exe`, `C:\nowhere\c.exe`, ``},
		{program, program, ``},
		{program + ` 5`, program, ` 5`},
		{bare + ` 5`, program, ` 5`},
		{`"unclosed`, `unclosed`, ``},
		{``, ``, ``},
		{`   `, ``, ``},
	} {
		if program, rest := splitCommandLine(test.line); program != test.program || rest != test.rest {
			t.Errorf("%s: %q and %q, want %q and %q", test.line, program, rest, test.program, test.rest)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		action Action
		err    error
		want   error
		says   string
	}{
		{Start, nil, nil, ""},
		{Start, windows.ERROR_SERVICE_ALREADY_RUNNING, nil, ""},
		{Stop, windows.ERROR_SERVICE_NOT_ACTIVE, nil, ""},
		{Install, windows.ERROR_ACCESS_DENIED, ErrPermission, "only an administrator may"},
		{Uninstall, windows.ERROR_SERVICE_DOES_NOT_EXIST, ErrNotInstalled, "not installed"},
		{Uninstall, windows.ERROR_SERVICE_MARKED_FOR_DELETE, windows.ERROR_SERVICE_MARKED_FOR_DELETE, "close the Services console"},
		{Start, windows.ERROR_SERVICE_DISABLED, windows.ERROR_SERVICE_DISABLED, "disabled"},
		{Start, fmt.Errorf("x: %w", ErrForeign), ErrForeign, "another program"},
	} {
		err := explain(test.action, "X", test.err)
		if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s, %v: %v", test.action, test.err, err)
		}
	}
}

// A service that fails while it stops has stopped, and the user is told how.
func TestStopInDisorder(t *testing.T) {
	s := newTestService(t)
	var found Outcome
	s.o.Report = func(o Outcome) { found = o }
	s.mode("fails at the end")
	s.do(Install, Start)
	err := Control(Stop, s.o)
	if err == nil || !strings.Contains(err.Error(), "not in order") || !strings.Contains(err.Error(), "exit code 7") {
		t.Errorf("stop: %v", err)
	}
	if got := s.state(); got != windows.SERVICE_STOPPED {
		t.Errorf("stopped it is in state %d", got)
	}
	s.do(Start, Restart)
	if found.Ended == nil || !strings.Contains(found.Ended.Error(), "exit code 7") {
		t.Errorf("restart: %+v", found)
	}
	if got := s.state(); got != windows.SERVICE_RUNNING {
		t.Errorf("restarted it is in state %d", got)
	}
	found = Outcome{}
	s.do(Uninstall)
	if found.Ended == nil {
		t.Error("uninstall: it does not say how the service ended")
	}
}

// An install over an earlier registration says what stays of that.
func TestInstallAgain(t *testing.T) {
	s := newTestService(t)
	var found Outcome
	s.o.Report = func(o Outcome) { found = o }
	s.do(Install)
	if found.Running || found.Arguments != "" || found.Ended != nil {
		t.Errorf("installed: %+v", found)
	}
	line, err := windows.UTF16PtrFromString(`"` + s.o.Binary + `" 5 --exclude "Ethernet, 2"`)
	if err != nil {
		t.Fatal(err)
	}
	s.look(func(service *mgr.Service) {
		const same = windows.SERVICE_NO_CHANGE
		if err := windows.ChangeServiceConfig(service.Handle, same, same, same, line, nil, nil, nil, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	})
	s.do(Install)
	if want := `5 --exclude "Ethernet, 2"`; found.Arguments != want || found.Running {
		t.Errorf("installed over arguments: %+v", found)
	}
	s.do(Start, Install)
	if !found.Running {
		t.Errorf("installed while it runs: %+v", found)
	}
}

func TestDefaultPreshutdown(t *testing.T) {
	for timeout, want := range map[uint32]bool{10_000: true, 180_000: true, 30_000: false, 60_000: false} {
		if defaultPreshutdown(timeout) != want {
			t.Errorf("%d ms: %v", timeout, !want)
		}
	}
}
