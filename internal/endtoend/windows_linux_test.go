package endtoend

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/control"
)

// A windows is a machine with Windows, as Wine makes one, at end a of a wire.
// Its PacketCache lies in C:\Program Files\PacketCache.
type windows struct {
	t testing.TB
	wire
	dir string // of the bench; the disk is prefix/drive_c in it
}

// folder is where PacketCache lies.
const folder = `C:\Program Files\PacketCache\`

// newWindows makes a Windows on which PacketCache lies, and takes it down with the
// test.
func newWindows(t testing.TB) *windows {
	t.Helper()
	w := freshWindows(t)
	built, err := windowsPrograms()
	if err != nil {
		t.Fatal(err)
	}
	to := w.path(folder)
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "cp", "-r", built+"/.", to)
	return w
}

// freshWindows makes a Windows without PacketCache.
func freshWindows(t testing.TB) *windows {
	t.Helper()
	bench := os.Getenv("PACKETCACHE_WINE_INSIDE")
	if bench == "" {
		t.Skip("needs Wine: scripts/windows-tests.sh sets it up and runs this")
	}
	dir, err := os.MkdirTemp(bench, "windows-") //nolint:usetesting // an overlay has to be on the disk of what it lies upon
	if err != nil {
		t.Fatal(err)
	}
	w := &windows{t: t, wire: newWire(t), dir: dir}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("services and the wineserver have printed:\n%s", w.printed())
		}
		cmd := exec.Command(wineScript("remove.sh"), dir)
		cmd.Env = w.environment()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("remove.sh: %v\n%s", err, out)
		}
	})
	cmd := exec.Command(wineScript("prefix.sh"), dir)
	cmd.Env = append(w.environment(), "WINEDEBUG=-all,+eventlog,fixme+advapi") // for services, see events
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("prefix.sh: %v\n%s", err, out)
	}
	return w
}

func wineScript(name string) string {
	path, err := filepath.Abs(filepath.Join("..", "..", "scripts", "wine", name))
	if err != nil {
		return name
	}
	return path
}

// windowsPrograms builds what is installed on Windows, and returns the
// directory.
var windowsPrograms = sync.OnceValues(func() (string, error) {
	dir, err := builtPrograms()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "windows")
	return dir, buildWindows(dir, "")
})

// buildWindows builds the programs for Windows into a directory, with a version
// if one is given.
func buildWindows(dir, version string) error {
	var flags string
	if version != "" {
		flags = "-X github.com/packetcache/packetcache/internal/version.version=" + version
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags", flags, "-o", dir+"/", "../../cmd/packetcache", "../../cmd/pcctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build for Windows: %w\n%s", err, out)
	}
	cmd = exec.Command("go", "run", "-buildvcs=false", "../../eventlog/messagedll", "-o", filepath.Join(dir, eventlog.DLL))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("messagedll: %w\n%s", err, out)
	}
	cmd = exec.Command("go", "run", "-buildvcs=false", "../../installer/licences", "-o", filepath.Join(dir, "THIRD-PARTY.txt"),
		filepath.Join(dir, "packetcache.exe"), filepath.Join(dir, "pcctl.exe"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("licences: %w\n%s", err, out)
	}
	return nil
}

func (w *windows) environment() []string {
	return append(os.Environ(), "PACKETCACHE_WINE_NETNS="+string(w.a), "WINEPREFIX="+filepath.Join(w.dir, "prefix"))
}

// path is where a file of C: is on this machine.
func (w *windows) path(name string) string {
	name = strings.ReplaceAll(strings.TrimPrefix(name, `C:\`), `\`, "/")
	return filepath.Join(w.dir, "prefix", "drive_c", name)
}

// printed is what services and the wineserver have printed, with the trace of
// calls to the Event Log.
func (w *windows) printed() string {
	text, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// command prepares a Windows program.
func (w *windows) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(wineScript("wine.sh"), append([]string{name}, args...)...)
	cmd.Dir = w.path(`C:\`)
	cmd.Env = w.environment()
	return cmd
}

// run runs a Windows program to its end. Of its exit code Wine passes on the
// last 8 bits.
func (w *windows) run(name string, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	j := begin(w.t, w.command(name, args...))
	code = j.exitCode(w.t, patience)
	return unixText(j.stdout.String()), unixText(j.log.String()), code
}

// must runs a Windows program that has to succeed.
func (w *windows) must(name string, args ...string) string {
	w.t.Helper()
	stdout, stderr, code := w.run(name, args...)
	if code != 0 {
		w.t.Fatalf("%s %s: exit code %d\n%s%s", name, strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

func unixText(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (w *windows) pcctl(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	return w.run(folder+"pcctl.exe", args...)
}

// mustPcctl runs pcctl, which has to succeed.
func (w *windows) mustPcctl(args ...string) string {
	w.t.Helper()
	return w.must(folder+"pcctl.exe", args...)
}

// dump has pcctl write a file and returns its path on this machine.
func (w *windows) dump(args ...string) string {
	w.t.Helper()
	const name = `C:\dump`
	w.mustPcctl(append([]string{"dump", "-w", name}, args...)...)
	to := filepath.Join(w.t.TempDir(), "dump")
	must(w.t, "mv", w.path(name), to)
	return to
}

// status asks for the status; ok says whether the service answered.
func (w *windows) status(args ...string) (st control.Status, ok bool) {
	w.t.Helper()
	stdout, stderr, code := w.pcctl(append([]string{"status", "--json"}, args...)...)
	switch code {
	case 0:
		if err := json.Unmarshal([]byte(stdout), &st); err != nil {
			w.t.Fatalf("pcctl status: %v in\n%s", err, stdout)
		}
		return st, true
	case 3: // not reachable
		return st, false
	case 1:
		// In Wine, who comes in the moment in which a pipe is made can get an
		// instance of it that nobody serves (see ipc).
		if strings.Contains(stderr, "timeout awaiting response headers") {
			return st, false
		}
	}
	w.t.Fatalf("pcctl status: exit code %d\n%s%s", code, stdout, stderr)
	return st, false
}

// await polls the status until the condition holds.
func (w *windows) await(what string, holds func(control.Status) bool) control.Status {
	w.t.Helper()
	var last control.Status
	for deadline := time.Now().Add(patience); ; {
		if st, ok := w.status(); ok {
			if last = st; holds(st) {
				return st
			}
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %v: %s; the status is %+v", patience, what, last)
		}
	}
}

func (w *windows) awaitInterface(name string, state control.InterfaceState) control.Interface {
	w.t.Helper()
	st := w.await(fmt.Sprintf("%s %s", name, state), func(st control.Status) bool {
		return interfaceOf(st, name).State == state
	})
	return interfaceOf(st, name)
}

// installed reports whether the service control manager knows the service.
func (w *windows) installed() bool {
	w.t.Helper()
	_, _, code := w.run("sc", "query", "PacketCache")
	return code == 0
}

// state is what the service control manager says of the service: RUNNING.
func (w *windows) state() string {
	w.t.Helper()
	out := w.must("sc", "query", "PacketCache")
	match := regexp.MustCompile(`STATE\s+: \d+\s+(\w+)`).FindStringSubmatch(out)
	if match == nil {
		w.t.Fatalf("sc query says\n%s", out)
	}
	return match[1]
}

// registered reads a value of the registry, "" if there is none.
func (w *windows) registered(key, value string) string {
	w.t.Helper()
	out, _, code := w.run("reg", "query", key, "/v", value)
	if code != 0 {
		return ""
	}
	match := regexp.MustCompile(`(?m)^\s+` + value + `\s+REG_\w+\s+(.*?)\s*$`).FindStringSubmatch(out)
	if match == nil {
		w.t.Fatalf("reg query %s /v %s says\n%s", key, value, out)
	}
	return match[1]
}

// values are those of a key of the registry; there may be no such key.
func (w *windows) values(key string) map[string]string {
	w.t.Helper()
	out, _, _ := w.run("reg", "query", key)
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    (\S+) +REG_\w+ *(.*?) *$`).FindAllStringSubmatch(out, -1) {
		values[m[1]] = m[2]
	}
	return values
}

// has checks values of a key; "" is for one that is not there.
func (w *windows) has(key string, want map[string]string) {
	w.t.Helper()
	got := w.values(key)
	for name, value := range want {
		if got[name] != value {
			w.t.Errorf(`%s\%s is %q, want %q`, key, name, got[name], value)
		}
	}
}

// processes are those of packetcache.exe on this machine.
func (w *windows) processes() []int { w.t.Helper(); return w.named("packetcache.exe") }

// named are the processes of this Windows whose program has that name.
func (w *windows) named(program string) (pids []int) {
	w.t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		w.t.Fatal(err)
	}
	prefix := "WINEPREFIX=" + filepath.Join(w.dir, "prefix") + "\x00"
	for _, path := range found {
		line, err := os.ReadFile(path)
		name, _, _ := strings.Cut(string(line), "\x00")
		if err != nil || !strings.Contains(name, program) {
			continue
		}
		environment, err := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if err != nil || !strings.Contains(string(environment), prefix) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(path, "/")[2]); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// down shuts Windows down, whereby the registry is written to its files.
func (w *windows) down() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for _, how := range []string{"-k", "-w"} {
		cmd := exec.CommandContext(ctx, wineScript("wine.sh"), "wineserver", how)
		cmd.Env = w.environment()
		_ = cmd.Run() // -k fails where there is none any more
	}
	if err := ctx.Err(); err != nil {
		w.t.Fatal("Windows does not go down: ", err)
	}
}
