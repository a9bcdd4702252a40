package endtoend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	svc "github.com/packetcache/packetcache/internal/service"
)

// Exit codes of msiexec, as Wine passes them on (learn.microsoft.com,
// "MsiExec.exe and InstMsi.exe error messages").
const (
	installed = 0
	refused   = 1603 % 256 // ERROR_INSTALL_FAILURE
)

const (
	sourceKey      = `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\PacketCache`
	environmentKey = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`
	productsKey    = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	dataDir        = `C:\ProgramData\PacketCache`
)

// A msi is an installer package.
type msi struct {
	version, path string
	product       string // its code
}

// packages builds two versions, once.
var packages = sync.OnceValues(func() (list [2]msi, err error) {
	dir, err := builtPrograms()
	if err != nil {
		return list, err
	}
	for i, version := range []string{"1.0.0", "1.1.0"} {
		programs := filepath.Join(dir, "windows-"+version)
		if err := buildWindows(programs, version); err != nil {
			return list, err
		}
		m := msi{version: version, path: filepath.Join(dir, "packetcache-"+version+".msi")}
		cmd := exec.Command("go", "run", "-C", "../..", "-buildvcs=false", "./installer/wix", "-version", version, "-programs", programs, "-o", m.path)
		if out, err := cmd.CombinedOutput(); err != nil {
			return list, fmt.Errorf("installer/wix: %w\n%s", err, out)
		}
		out, err := exec.Command("msiinfo", "export", m.path, "Property").Output()
		if err != nil {
			return list, fmt.Errorf("msiinfo: %w", err)
		}
		match := regexp.MustCompile(`ProductCode\t(\S+)`).FindSubmatch(out)
		if match == nil {
			return list, fmt.Errorf("there is no product code in\n%s", out)
		}
		m.product = string(match[1])
		list[i] = m
	}
	return list, nil
})

// versions are packages of 1.0.0 and 1.1.0.
func versions(t *testing.T) (older, newer msi) {
	t.Helper()
	for _, name := range []string{"wixl", "msibuild", "msiinfo"} {
		need(t, name)
	}
	list, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return list[0], list[1]
}

// msiexec runs the installer without any dialog, from a batch file, as from a
// command line: it takes quotes apart by itself.
func (w *windows) msiexec(want int, what string, args ...string) {
	w.t.Helper()
	const batch = `C:\run.bat`
	line := "msiexec " + strings.Join(args, " ") + " /qn"
	if err := os.WriteFile(w.path(batch), []byte(line+"\r\n"), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if _, stderr, code := w.run("cmd", "/c", batch); code != want {
		w.t.Fatalf("%s: %s ends with exit code %d, want %d\n%s", what, line, code, want, stderr)
	}
	if err := os.Remove(w.path(batch)); err != nil {
		w.t.Fatal(err)
	}
}

// install installs a package.
func (w *windows) install(m msi, properties ...string) {
	w.t.Helper()
	w.msiexec(installed, "installing "+m.version, append([]string{"/i", `Z:` + strings.ReplaceAll(m.path, "/", `\`)}, properties...)...)
}

// refuses tries to install a package that does not let itself be installed.
func (w *windows) refuses(m msi, properties ...string) {
	w.t.Helper()
	w.msiexec(refused, "what is refused", append([]string{"/i", `Z:` + strings.ReplaceAll(m.path, "/", `\`)}, properties...)...)
}

// files are those in the folder of the programs.
func (w *windows) files() (names []string) {
	w.t.Helper()
	entries, err := os.ReadDir(w.path(folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// searchPath is the PATH of the machine, without the empty entries that Wine
// leaves.
func (w *windows) searchPath() []string {
	w.t.Helper()
	list := strings.Split(w.values(environmentKey)["PATH"], ";")
	return slices.DeleteFunc(list, func(entry string) bool { return entry == "" })
}

// isInstalled checks that Windows has this product and no other of ours, and that
// its service runs.
func (w *windows) isInstalled(m msi) {
	w.t.Helper()
	list := w.must("reg", "query", productsKey)
	if n := strings.Count(list, "{"); n != 1 || !strings.Contains(list, m.product) {
		w.t.Errorf("products, of which there should be %s:\n%s", m.product, list)
	}
	w.has(productsKey+`\`+m.product, map[string]string{
		"DisplayName": "PacketCache", "DisplayVersion": m.version, "Publisher": "The PacketCache authors",
		"HelpLink": "https://github.com/packetcache/packetcache#readme", "InstallLocation": folder, "NoModify": "0x1",
	})
	w.has(serviceKey, map[string]string{
		"ImagePath": `"` + folder + `packetcache.exe"`, "Start": "0x2", "Type": "0x10", "ObjectName": "LocalSystem", "DisplayName": "PacketCache",
		"Description": svc.Description,
	})
	w.has(sourceKey, map[string]string{
		"EventMessageFile": folder + "PacketCacheEvents.dll", "CategoryMessageFile": folder + "PacketCacheEvents.dll", "TypesSupported": "0x7",
	})
	want := []string{"LICENSE.txt", "PacketCache.xml", "PacketCacheEvents.dll", "ReadPacketCache.ps1", "ReadRemotePacketCache.ps1", "THIRD-PARTY.txt", "packetcache.exe", "pcctl.exe", "policy"}
	if got := w.files(); !slices.Equal(got, want) {
		w.t.Errorf("files are %q, want %q", got, want)
	}
	if n := len(slices.DeleteFunc(w.searchPath(), func(entry string) bool { return entry != folder })); n != 1 {
		w.t.Errorf("the folder is %d times on the PATH: %q", n, w.searchPath())
	}
	st := w.await("an answer", func(st control.Status) bool { return st.State != control.StateStarting })
	if st.Version != m.version {
		w.t.Errorf("version %s runs, want %s", st.Version, m.version)
	}
	if pids := w.processes(); len(pids) != 1 {
		w.t.Errorf("it runs as the processes %v", pids)
	}
}

// isRemoved checks that nothing is left of what the installer has made.
func (w *windows) isRemoved() {
	w.t.Helper()
	if w.installed() {
		w.t.Error("there is still the service")
	}
	if pids := w.processes(); len(pids) != 0 {
		w.t.Errorf("it still runs as the processes %v", pids)
	}
	if _, err := os.Stat(w.path(folder)); !errors.Is(err, fs.ErrNotExist) {
		w.t.Errorf("the folder is left (%v), with %q", err, w.files())
	}
	if w.registered(sourceKey, "EventMessageFile") != "" {
		w.t.Error("there is still the event source")
	}
	if slices.Contains(w.searchPath(), folder) {
		w.t.Errorf("the folder is still on the PATH: %q", w.searchPath())
	}
	if out, _, code := w.run("reg", "query", productsKey); code == 0 && strings.Contains(out, "{") {
		w.t.Errorf("products are left:\n%s", out)
	}
}

// stillHolds checks that a packet is there that was recorded before the service was
// stopped.
func (w *windows) stillHolds(text string) {
	w.t.Helper()
	eventually(w.t, "the packet of before in the dump", func() bool { return holds(w.t, w.dump(), text) })
}

// From the installation over an upgrade and a repair to the removal.
func TestWindowsMSI(t *testing.T) {
	older, newer := versions(t)
	before := freshWindows(t).snapshot()
	w := freshWindows(t)
	for _, wrong := range []string{"RAMPERCENT=0", "RAMPERCENT=51", "RAMPERCENT=2.5", "RAMPERCENT=-1", "RAMPERCENT=many", "LOGLEVEL=loud", "STARTSERVICE=2"} {
		w.refuses(older, wrong)
	}
	w.isRemoved()

	recovery, ok := config.FieldByKey("recovery-recipients")
	if !ok {
		t.Fatal("there is no setting recovery-recipients")
	}
	// What only the service can judge is told by it, and keeps nothing from being
	// installed.
	w.install(older, "INTERFACES=[", "RECOVERYRECIPIENTS=age1nobody")
	w.isInstalled(older)
	w.await("two wrong settings", func(st control.Status) bool {
		text := strings.Join(st.Warnings, "\n")
		return strings.Contains(text, `SOFTWARE\PacketCache\Interfaces: `) && strings.Contains(text, "nothing is recorded until it is right") &&
			strings.Contains(text, `SOFTWARE\PacketCache\RecoveryRecipients: `)
	})
	eventually(t, "events of both", func() bool {
		events := w.events()
		return reported(events, 2, 1302, settingsKey+`\Interfaces`) && reported(events, 2, 1302, settingsKey+`\RecoveryRecipients`)
	})
	w.mustPcctl("config", "set", "interfaces", "wire0")
	w.awaitInterface("wire0", control.InterfaceCapturing)
	w.msiexec(installed, "a removal", "/x", older.product)
	w.isRemoved()

	w.install(older, "RAMPERCENT=3", `INTERFACES="wire?|Ethernet 2"`, "EXCLUDE=other*", "LOGLEVEL=debug", "RECOVERYRECIPIENTS="+recovery.Example)
	w.isInstalled(older)
	given := map[string]string{"RamPercent": "0x3", "Interfaces": "wire?|Ethernet 2", "Exclude": "other*", "LogLevel": "debug", "RecoveryRecipients": recovery.Example}
	w.has(settingsKey, given)
	st := w.awaitInterface("wire0", control.InterfaceCapturing)
	if st.Name != "wire0" {
		t.Errorf("it records %+v", st)
	}
	status, _ := w.status()
	if share := float64(status.Memory.BudgetBytes) / float64(memoryOfMachine(t)); share < 0.029 || share > 0.031 {
		t.Errorf("the budget is %.2f %% of the memory, want 3 %%", 100*share)
	}
	const text = "recorded by the older one"
	w.a.play(t, "frame", "wire0", text)
	eventually(t, "the packet in the dump", func() bool { return holds(t, w.dump(), text) })

	// What was set since stays over the upgrade, and is stronger than nothing.
	w.mustPcctl("config", "set", "bias", "3")
	w.install(newer)
	w.isInstalled(newer)
	given["Bias"] = "0x3"
	w.has(settingsKey, given)
	w.awaitInterface("wire0", control.InterfaceCapturing)
	w.refuses(older)
	w.isInstalled(newer)
	w.stillHolds(text)

	// A repair puts back what is missing or damaged, and leaves settings alone.
	w.mustPcctl("config", "set", "ram-percent", "4")
	w.mustPcctl("config", "unset", "exclude")
	if err := errors.Join(os.Remove(w.path(folder+"ReadPacketCache.ps1")), os.WriteFile(w.path(folder+"LICENSE.txt"), []byte("none"), 0o644)); err != nil {
		t.Fatal(err)
	}
	w.must("reg", "delete", sourceKey, "/f")
	w.msiexec(installed, "a repair", "/i", newer.product, "REINSTALL=ALL", "REINSTALLMODE=amus") // Wine knows no /f
	w.isInstalled(newer)
	if text, err := os.ReadFile(w.path(folder + "LICENSE.txt")); err != nil || !strings.Contains(string(text), "Apache License") {
		t.Errorf("the licence is %q, %v", text, err)
	}
	given["RamPercent"], given["Exclude"] = "0x4", ""
	w.has(settingsKey, given)
	w.stillHolds(text)

	// Removed but for settings and data, it comes back with them.
	if err := os.WriteFile(w.path(dataDir+`\crash.txt`), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.msiexec(installed, "a removal that keeps", "/x", newer.product, "KEEPCACHE=1")
	w.isRemoved()
	w.has(settingsKey, given)
	for _, name := range []string{"PacketCache.sealed", "crash.txt"} {
		if _, err := os.Stat(w.path(dataDir + `\` + name)); err != nil {
			t.Error(err)
		}
	}
	w.install(newer, "LOGLEVEL=warn") // over what is there
	given["LogLevel"] = "warn"
	w.isInstalled(newer)
	w.has(settingsKey, given)
	w.stillHolds(text)

	w.msiexec(installed, "a removal", "/x", newer.product)
	w.isRemoved()
	for _, line := range w.snapshot().since(before) {
		t.Errorf("after the removal: %s", line)
	}
}

// A service that pcctl has installed, to try it out, becomes the package's, and goes
// on with its settings and what it has recorded. Removed with KEEPCACHE=1 these stay,
// and nothing else.
func TestWindowsMSITakesOver(t *testing.T) {
	older, _ := versions(t)
	before := freshWindows(t).snapshot()
	w := newWindows(t)
	// Windows replaces it in any case; Wine, where it bears no version, if it has
	// another size.
	must(t, "truncate", "--size=+4096", w.path(folder+"packetcache.exe"))
	w.mustPcctl("install", "--ram-percent", "3")
	w.awaitInterface("wire0", control.InterfaceCapturing)
	const text = "recorded before the package came"
	w.a.play(t, "frame", "wire0", text)
	eventually(t, "the packet in the dump", func() bool { return holds(t, w.dump(), text) })
	w.install(older)
	w.isInstalled(older)
	w.has(settingsKey, map[string]string{"RamPercent": "0x3"})
	w.stillHolds(text)

	w.msiexec(installed, "a removal that keeps", "/x", older.product, "KEEPCACHE=1")
	w.isRemoved()
	var left []string
	for _, line := range w.snapshot().since(before) {
		left = append(left, regexp.MustCompile(`(sealed|key) \d+$`).ReplaceAllString(regexp.MustCompile(`age1\w+`).ReplaceAllString(line, "age1..."), "$1"))
	}
	if want := []string{
		`+ C:\ProgramData\PacketCache`,
		`+ C:\ProgramData\PacketCache\PacketCache.sealed`,
		`+ C:\ProgramData\PacketCache\age1....key`,
		`+ system.reg Software\PacketCache`,
		`+ system.reg Software\PacketCache "RamPercent"=dword:00000003`,
	}; !slices.Equal(left, want) {
		t.Errorf("left is\n%s\nwant\n%s", strings.Join(left, "\n"), strings.Join(want, "\n"))
	}
}

// Netresec's service has the same name: it is replaced only if somebody says so.
func TestWindowsMSIReplaces(t *testing.T) {
	older, newer := versions(t)
	w := freshWindows(t)
	w.must("sc", "create", "PacketCache", "binPath=", `C:\windows\system32\services.exe 5`, "start=", "demand")
	w.refuses(older)
	w.refuses(older, "REPLACE=0")
	if got := w.registered(serviceKey, "ImagePath"); got != `C:\windows\system32\services.exe 5` {
		t.Errorf("its program is %s now", got)
	}
	w.install(older, "REPLACE=1", "STARTSERVICE=0")
	if s := w.state(); s != "STOPPED" {
		t.Errorf("with STARTSERVICE=0 the service is %s", s)
	}
	w.mustPcctl("start")
	w.isInstalled(older)

	// Once it is ours, that needs no word. What is missing beside it keeps nothing
	// from being replaced or removed.
	if err := os.Remove(w.path(folder + "pcctl.exe")); err != nil {
		t.Fatal(err)
	}
	w.must("net", "stop", "PacketCache")
	eventually(t, "the end of the process", func() bool { return len(w.processes()) == 0 })
	w.install(newer)
	w.isInstalled(newer)
	w.msiexec(installed, "a removal", "/x", newer.product)
	w.isRemoved()

	// A copy of the package in which somebody has set properties, as a transform does.
	site := older
	site.path = filepath.Join(t.TempDir(), "site.msi")
	must(t, "cp", older.path, site.path)
	must(t, "msibuild", site.path, "-q", "INSERT INTO Property (Property, Value) VALUES ('RAMPERCENT', '2')")
	must(t, "msibuild", site.path, "-s", "PacketCache, ours", "", "x64;1033", "{5E0C7E6A-31E8-4C86-8C3B-5B0A9A1F7C11}")
	w.install(site)
	w.isInstalled(site)
	w.has(settingsKey, map[string]string{"RamPercent": "0x2"})
}
