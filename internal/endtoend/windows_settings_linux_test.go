package endtoend

import (
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

func (w *windows) unset(name string) {
	w.t.Helper()
	w.must("reg", "delete", settingsKey, "/v", name, "/f")
}

// What somebody changes in the registry is in force at once.
func TestWindowsSettingsLive(t *testing.T) {
	w := newWindows(t)
	w.startService("16MiB")
	first := w.awaitInterface("wire0", control.InterfaceCapturing)

	w.set("Exclude", "REG_MULTI_SZ", `other*\0wire?`)
	w.awaitInterface("wire0", control.InterfaceExcluded)
	w.unset("Exclude")
	if again := w.awaitInterface("wire0", control.InterfaceCapturing); again.ID != first.ID {
		t.Errorf("the interface is number %d now, it was %d", again.ID, first.ID)
	}

	w.set("RamSize", "REG_SZ", "24MiB")
	w.await("24 MiB", func(st control.Status) bool { return st.Memory.BudgetBytes == 24<<20 })
	w.set("RamSize", "REG_SZ", "12MiB")
	w.await("12 MiB", func(st control.Status) bool { return st.Memory.BudgetBytes == 12<<20 })

	// What makes no sense is told, and changes nothing.
	w.set("RamSize", "REG_SZ", "much")
	st := w.await("a warning", func(st control.Status) bool {
		return slices.ContainsFunc(st.Warnings, func(s string) bool { return strings.Contains(s, settingsKey+`\RamSize`) })
	})
	if st.Memory.BudgetBytes != 12<<20 {
		t.Errorf("the budget became %d bytes", st.Memory.BudgetBytes)
	}
	w.unset("RamSize")
	w.await("no warning", func(st control.Status) bool { return len(st.Warnings) == 0 })
}

// What pcctl writes is in force as well, and a policy wins over it.
func TestWindowsConfig(t *testing.T) {
	w := newWindows(t)
	w.mustPcctl("config", "set", "ram-size", "16MiB")
	if got := w.registered(settingsKey, "RamSize"); got != "16777216" && got != "16MiB" {
		t.Errorf("in the registry is %q", got)
	}
	w.mustPcctl("install")
	w.awaitInterface("wire0", control.InterfaceCapturing)
	w.mustPcctl("config", "set", "exclude", "wire0", "Ethernet, 2")
	w.awaitInterface("wire0", control.InterfaceExcluded)
	if got := w.registered(settingsKey, "Exclude"); got != `wire0\0Ethernet, 2` {
		t.Errorf("in the registry is %q", got)
	}
	w.mustPcctl("config", "unset", "exclude")
	w.awaitInterface("wire0", control.InterfaceCapturing)

	const policy = `HKLM\SOFTWARE\Policies\PacketCache`
	w.must("reg", "add", policy, "/v", "RamSize", "/d", "24MiB", "/f")
	w.await("the policy's 24 MiB", func(st control.Status) bool { return st.Memory.BudgetBytes == 24<<20 })
	if list := w.mustPcctl("config", "list", "--origin"); !strings.Contains(list, policy+`\RamSize`) {
		t.Errorf("the origin is not listed:\n%s", list)
	}
	if stdout, stderr, code := w.pcctl("config", "set", "ram-size", "32MiB"); code != 1 || !strings.Contains(stderr, policy+`\RamSize`) {
		t.Errorf("a setting that a policy fixes: exit code %d\n%s%s", code, stdout, stderr)
	}
	w.must("reg", "delete", policy, "/f")
	w.await("16 MiB again", func(st control.Status) bool { return st.Memory.BudgetBytes == 16<<20 })

	// A command line, such as sc makes, wins over everything and is not touched.
	w.mustPcctl("uninstall")
	w.must("sc", "create", "PacketCache", "binPath=", `"`+folder+`packetcache.exe" --ram-size 12MiB`)
	w.mustPcctl("start")
	w.await("12 MiB", func(st control.Status) bool { return st.Memory.BudgetBytes == 12<<20 })
	if stdout, stderr, code := w.pcctl("config", "set", "ram-size", "32MiB"); code != 1 || !strings.Contains(stderr, "command line") {
		t.Errorf("a setting of the command line: exit code %d\n%s%s", code, stdout, stderr)
	}
}
