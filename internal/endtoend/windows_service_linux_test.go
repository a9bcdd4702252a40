package endtoend

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

const serviceKey = `HKLM\SYSTEM\CurrentControlSet\Services\PacketCache`

// The life of the service, from its installation until nothing of it is left.
func TestWindowsService(t *testing.T) {
	w := newWindows(t)
	for _, command := range []string{"start", "stop", "uninstall"} {
		if stdout, stderr, code := w.pcctl(command); code != 1 || !strings.Contains(stderr, "not installed") {
			t.Errorf("pcctl %s before the installation: exit code %d\n%s%s", command, code, stdout, stderr)
		}
	}
	if stdout, stderr, code := w.pcctl("status"); code != 3 {
		t.Errorf("pcctl status before the installation: exit code %d\n%s%s", code, stdout, stderr)
	}

	if said := w.mustPcctl("install", "--no-start"); !strings.Contains(said, "installed") {
		t.Errorf("pcctl install says %q", said)
	}
	for value, want := range map[string]string{
		"ImagePath":   `"` + folder + `packetcache.exe"`,
		"Start":       "0x2", // automatic
		"Type":        "0x10",
		"ObjectName":  "LocalSystem",
		"DisplayName": "PacketCache",
	} {
		if got := w.registered(serviceKey, value); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
	if w.registered(serviceKey, "Description") == "" {
		t.Error("the service has no description")
	}
	const source = `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\PacketCache`
	if got, want := w.registered(source, "EventMessageFile"), folder+"PacketCacheEvents.dll"; got != want {
		t.Errorf("the texts of events are in %s, want %s", got, want)
	}
	if s := w.state(); s != "STOPPED" {
		t.Errorf("after the installation the service is %s", s)
	}

	w.mustPcctl("start")
	if s := w.state(); s != "RUNNING" {
		t.Errorf("after the start the service is %s", s)
	}
	w.awaitInterface("wire0", control.InterfaceCapturing)
	if pids := w.processes(); len(pids) != 1 {
		t.Errorf("it runs as the processes %v", pids)
	}
	w.mustPcctl("start") // no error

	// The other ways to start and to stop it.
	w.must("net", "stop", "PacketCache")
	w.mustPcctl("stop") // waits for the process, though the service has stopped
	if pids := w.processes(); len(pids) != 0 {
		t.Errorf("after net stop and pcctl stop its program is run by %v", pids)
	}
	w.stopped("net stop")
	w.must("net", "start", "PacketCache")
	before, _ := w.status()
	w.mustPcctl("restart")
	if after, ok := w.status(); !ok || after.PID == before.PID {
		t.Errorf("after the restart the process is %d, it was %d", after.PID, before.PID)
	}
	w.mustPcctl("stop")
	w.stopped("pcctl stop")
	w.mustPcctl("stop") // no error
	w.must("sc", "start", "PacketCache")
	w.await("an answer", func(control.Status) bool { return true })

	w.mustPcctl("install")              // once more, while it runs
	w.mustPcctl("uninstall", "--purge") // with what it has sealed at its stop
	if w.installed() {
		t.Error("after the removal there is a service")
	}
	w.stopped("pcctl uninstall")
	w.leavesNothing()
}

// stopped checks that the service has stopped, and that its program is free.
func (w *windows) stopped(how string) {
	w.t.Helper()
	eventually(w.t, "the end of the process after "+how, func() bool { return len(w.processes()) == 0 })
	if _, ok := w.status(); ok {
		w.t.Errorf("after %s the service answers", how)
	}
}

// leavesNothing shuts Windows down and checks that it knows of PacketCache no
// more than that its programs lie there.
func (w *windows) leavesNothing() {
	w.t.Helper()
	w.down()
	for _, name := range []string{"system.reg", "user.reg", "userdef.reg"} {
		text, err := os.ReadFile(filepath.Join(w.dir, "prefix", name))
		if err != nil {
			w.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(strings.ToLower(line), "packetcache") {
				w.t.Errorf("in %s is left: %s", name, line)
			}
		}
	}
	disk := w.path(`C:\`)
	err := filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == w.path(folder) {
			return fs.SkipDir
		}
		if strings.Contains(strings.ToLower(d.Name()), "packetcache") {
			w.t.Errorf("on the disk is left: %s", strings.TrimPrefix(path, disk))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A service that sc has made, with a share of the memory in its command line,
// is one like any other.
func TestWindowsServiceOfSc(t *testing.T) {
	w := newWindows(t)
	w.must("sc", "create", "PacketCache", "binPath=", `"`+folder+`packetcache.exe" 5`, "start=", "auto")
	w.must("sc", "start", "PacketCache")
	st := w.await("an answer", func(st control.Status) bool { return st.State != control.StateStarting })
	share := float64(st.Memory.BudgetBytes) / float64(memoryOfMachine(t))
	if share < 0.049 || share > 0.051 {
		t.Errorf("the budget is %.2f %% of the memory, want 5 %%", 100*share)
	}
	w.must("sc", "stop", "PacketCache")
	w.stopped("sc stop")
	w.mustPcctl("start")
	w.mustPcctl("uninstall", "--purge") // with what it has sealed at its stop
	w.stopped("pcctl uninstall")
	w.leavesNothing()
}

// memoryOfMachine is the size of RAM in bytes.
func memoryOfMachine(t testing.TB) int64 {
	t.Helper()
	var kib int64
	text, err := os.ReadFile("/proc/meminfo")
	if err == nil {
		_, err = fmt.Sscanf(string(text), "MemTotal: %d kB", &kib)
	}
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// What others than administrators can replace is not made a service, unless
// somebody insists, and then the service warns of itself.
func TestWindowsExposed(t *testing.T) {
	w := newWindows(t)
	const open = `C:\Open\`
	must(t, "cp", "-r", w.path(folder), w.path(open))
	must(t, "chmod", "777", w.path(open)) // which Wine shows as rights of Everyone
	stdout, stderr, code := w.run(open+"pcctl.exe", "install")
	if code != 1 || !strings.Contains(stderr, `Everyone may change C:\Open`) || !strings.Contains(stderr, "--force") {
		t.Errorf("pcctl install: exit code %d\n%s%s", code, stdout, stderr)
	}
	if w.installed() {
		t.Error("it was installed")
	}
	if _, stderr, code = w.run(open+"pcctl.exe", "install", "--force"); code != 0 || !strings.Contains(stderr, `Warning: Everyone may change C:\Open`) {
		t.Errorf("pcctl install --force: exit code %d\n%s", code, stderr)
	}
	w.mustPcctl("start")
	eventually(t, "the event ProgramExposed", func() bool {
		return reported(w.events(), 2, 1017, "Everyone", `C:\Open`)
	})
}
