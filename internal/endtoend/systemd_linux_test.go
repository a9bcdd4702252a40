//go:build !race

package endtoend

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pcctl runs it there, and checks the exit code and what it says.
func (m *machine) pcctl(code int, want string, args ...string) string {
	m.t.Helper()
	return m.as(code, want, append([]string{"pcctl"}, args...)...)
}

func (m *machine) as(code int, want string, command ...string) string {
	m.t.Helper()
	stdout, stderr, got := m.run(command[0], command[1:]...)
	if all := stdout + stderr; got != code || !regexp.MustCompile("(?ms)"+want).MatchString(all) {
		m.t.Errorf("%s: exit code %d, want %d, and %s in\n%s", strings.Join(command, " "), got, code, want, all)
	}
	return stdout
}

// The life of a service, from pcctl install to pcctl uninstall --purge, by the real
// systemd: settings and packets last as long as is said, and each command says what
// is wrong where it cannot be done. The unit with all its restrictions is in force.
func TestSystemdService(t *testing.T) {
	const unit, sealed, settings = "/etc/systemd/system/packetcache.service", "/var/lib/packetcache/PacketCache.sealed", "/etc/packetcache/packetcache.toml"
	m := newMachine(t)
	for _, name := range []string{"packetcache", "pcctl"} {
		m.put(program(t, name), "/usr/local/bin")
	}
	running := func(want bool) (pid int) {
		t.Helper()
		if pid = m.mainPID(); (pid != 0) != want {
			t.Errorf("it runs as process %d, want that it runs: %v", pid, want)
		}
		return pid
	}

	m.pcctl(3, `^pcctl status: .*nothing listens there\nHint: start the service with "sudo pcctl start"`, "status")
	for _, command := range []string{"start", "stop", "restart"} {
		m.pcctl(1, `^pcctl `+command+`: packetcache\.service: the service is not installed\nHint: "pcctl install" registers it\.$`, command)
	}
	m.pcctl(1, `the service is not installed\nHint: "pcctl uninstall --purge" removes settings and data that it has left\.$`, "uninstall")
	m.as(4, `^pcctl install: not permitted: only root may\nHint: use sudo\.$`, "setpriv", "--reuid=65534", "--clear-groups", "pcctl", "install")
	m.pcctl(2, `^pcctl install: ram-percent = "99": out of range`, "install", "--ram-percent", "99")
	m.pcctl(1, `no packetcache|give --binary`, "install", "--binary", "/opt/none")

	m.pcctl(0, `^installed\nram-percent = 0\.5 in /etc/packetcache/packetcache\.toml\ninterfaces = wire0 in .*\nStarted: "pcctl status" says what it records\.$`,
		"install", "--ram-percent", "0.5", "--interface", "wire0")
	if out := m.must("systemctl", "is-enabled", "packetcache"); out != "enabled\n" {
		t.Errorf("it is %s", out)
	}
	m.pcctl(0, `^  wire0 +Ethernet +capturing`, "status")
	m.pcctl(0, `^ram-percent +0\.5 +file`, "config", "list", "--origin")
	m.a.must(t, "ping", "-n", "-c", "10", "-i", "0.01", plain4)
	m.pinged("10 pings and their answers")

	// Once more changes nothing, and says so.
	first := running(true)
	m.pcctl(0, `^installed\nThe service is running already, as it was registered before: "pcctl restart"`, "install")
	m.pcctl(0, `^started: `, "start")
	if again := running(true); again != first {
		t.Errorf("it was process %d, and is %d", first, again)
	}
	m.pcctl(0, `^restarted: "pcctl status" says what it records$`, "restart")
	if again := running(true); again == first {
		t.Errorf("it is still process %d", first)
	}
	m.pinged("what came before the restart")

	m.pcctl(0, `^stopped$`, "stop")
	running(false)
	if !m.has(sealed) {
		t.Error("it left no sealed cache")
	}
	m.pcctl(0, `^stopped$`, "stop")
	m.pcctl(3, `nothing listens there\nHint: start the service with "sudo pcctl start"`, "dump", "-w", "/tmp/out.pcap")
	m.pcctl(0, `^started: `, "start")
	m.pinged("what came before the stop")

	// One that was killed is started again by systemd.
	killed := running(true)
	m.must("kill", "-KILL", strconv.Itoa(killed))
	eventually(t, "another process that is ready", func() bool {
		if pid := m.mainPID(); pid == 0 || pid == killed {
			return false
		}
		out, _, _ := m.run("systemctl", "is-active", "packetcache")
		return out == "active\n"
	})
	m.pinged("what came before the kill")

	// One that does not start says where to look.
	m.pcctl(0, ``, "stop")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(m.path(from), m.path(to)); err != nil {
			t.Fatal(err)
		}
	}
	move("/usr/local/bin/packetcache", "/usr/local/bin/away")
	m.pcctl(1, `^pcctl start: start packetcache: systemctl: exit status 1; see systemctl status packetcache and journalctl -u packetcache$`, "start")
	move("/usr/local/bin/away", "/usr/local/bin/packetcache")
	m.pcctl(0, `^started: `, "start")

	m.pcctl(0, `^uninstalled; settings and data are still there$`, "uninstall")
	running(false)
	if m.has(unit) || !m.has(sealed) || !m.has(settings) {
		t.Errorf("unit %v, sealed cache %v, settings %v", m.has(unit), m.has(sealed), m.has(settings))
	}
	m.pcctl(0, `^installed`, "install", "--no-start")
	running(false)
	m.pcctl(0, `^started`, "start")
	m.pinged("what came before the removal")
	m.pcctl(0, `\b1001\b.*\b1002\b`, "events", "--last", "40") // from the journal
	m.pcctl(0, `^uninstalled, with its settings and data$`, "uninstall", "--purge")
	running(false)
	if left := m.left(); !slices.Equal(left, []string{"/usr/local/bin/packetcache"}) {
		t.Errorf("after the purge is left: %q", left)
	}
}

// pinged waits until a dump holds ten pings and their answers.
func (m *machine) pinged(what string) {
	m.t.Helper()
	eventually(m.t, what, func() bool {
		m.pcctl(0, ``, "dump", "--filter", "icmp", "-w", "/root/pings.pcap")
		file := filepath.Join(m.t.TempDir(), "pings.pcap")
		must(m.t, "mv", m.path("/root/pings.pcap"), file)
		return len(sound(m.t, file)) == 20
	})
}
