//go:build !race

package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A managed machine is one on which a stand-in for systemd manages services.
type managed struct {
	*machine
	ns namespace
}

func newManaged(t *testing.T, ns namespace) *managed {
	t.Helper()
	m := &managed{newMachine(t), ns}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		program(t, "packetcache"): "/opt/packetcache/packetcache",
		program(t, "pcctl"):       "/opt/packetcache/pcctl",
		self:                      standInDir + "/test",
	} {
		must(t, "install", "-D", from, m.path(to))
	}
	wrapper := "#!/bin/sh\n" + roleVariable + "=systemctl exec " + standInDir + "/test \"$@\"\n"
	for name, text := range map[string]string{"/usr/local/bin/systemctl": wrapper, standInUnit + ".d/empty": ""} {
		m.write(name, text)
	}
	if err := os.Chmod(m.path("/usr/local/bin/systemctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(m.path(standInUnit + ".d")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(m.path("/run/systemd/system"), 0o755); err != nil { // as if it had booted
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid := m.mainProcess(); pid != "" {
			_ = exec.Command("kill", "-9", pid).Run()
		}
	})
	return m
}

func (m *managed) mainProcess() string {
	text, _ := os.ReadFile(m.path(standInMain))
	return string(text)
}

// pcctl runs it there, and checks the exit code and what it says.
func (m *managed) pcctl(code int, want string, args ...string) string {
	m.t.Helper()
	return m.as(code, want, append([]string{"/opt/packetcache/pcctl"}, args...)...)
}

func (m *managed) as(code int, want string, command ...string) string {
	m.t.Helper()
	cmd := m.ns.command("nsenter", append([]string{"--target", strconv.Itoa(m.holder.cmd.Process.Pid), "--mount", "chroot", m.top}, command...)...)
	stdout, stderr, got := finished(m.t, cmd)
	if all := stdout + stderr; got != code || !regexp.MustCompile("(?ms)"+want).MatchString(all) {
		m.t.Errorf("%s: exit code %d, want %d, and %s in\n%s", strings.Join(command, " "), got, code, want, all)
	}
	return stdout
}

// calls are how systemctl was called since the last look.
func (m *managed) calls() string {
	text, _ := os.ReadFile(m.path(standInDir + "/calls"))
	_ = os.Remove(m.path(standInDir + "/calls"))
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", ", ")
}

// The life of a service, from pcctl install to pcctl uninstall --purge, with the real
// programs: settings and packets last as long as is said, and each command says what
// is wrong where it cannot be done.
func TestManagedService(t *testing.T) {
	w := newWire(t)
	m := newManaged(t, w.a)
	called := func(want string) {
		t.Helper()
		if got := m.calls(); got != want {
			t.Errorf("systemctl was called with %s, want %s", got, want)
		}
	}
	const sealed, settings = "/var/lib/packetcache/PacketCache.sealed", "/etc/packetcache/packetcache.toml"

	m.pcctl(3, `^pcctl status: .*nothing listens there\nHint: start the service with "sudo pcctl start"`, "status")
	m.pcctl(1, `^pcctl start: packetcache\.service: the service is not installed\nHint: "pcctl install" registers it\.$`, "start")
	m.pcctl(1, `the service is not installed\nHint: "pcctl uninstall --purge" removes settings and data that it has left\.$`, "uninstall")
	m.as(4, `^pcctl install: not permitted: only root may\nHint: use sudo\.$`, "setpriv", "--reuid=65534", "--clear-groups", "/opt/packetcache/pcctl", "install")
	m.pcctl(2, `^pcctl install: ram-percent = "99": out of range`, "install", "--ram-percent", "99")
	m.pcctl(1, `no packetcache|give --binary`, "install", "--binary", "/opt/none")
	called("start packetcache.service")

	m.pcctl(0, `^installed\nram-percent = 0\.5 in /etc/packetcache/packetcache\.toml\ninterfaces = wire0 in .*\nStarted: "pcctl status" says what it records\.$`,
		"install", "--ram-percent", "0.5", "--interface", "wire0")
	called("enable packetcache.service, daemon-reload, start packetcache.service")
	m.pcctl(0, `^  wire0 +Ethernet +capturing`, "status")
	m.pcctl(0, `^ram-percent +0\.5 +file`, "config", "list", "--origin")
	w.a.must(t, "ping", "-n", "-c", "10", "-i", "0.01", plain4)
	m.dumped("10 pings and their answers", func(n int) bool { return n == 20 })

	// Once more changes nothing, and says so.
	m.pcctl(0, `^installed\nThe service is running already, as it was registered before: "pcctl restart"`, "install")
	if m.mainProcess() == "" {
		t.Error("it does not run any more")
	}
	m.calls()
	before := m.mainProcess()
	m.pcctl(0, `^restarted: "pcctl status" says what it records$`, "restart")
	called("restart packetcache.service")
	if after := m.mainProcess(); after == before {
		t.Errorf("it is still process %s", after)
	}
	m.dumped("what came before the restart", func(n int) bool { return n == 20 })

	m.pcctl(0, `^stopped$`, "stop")
	called("stop packetcache.service")
	if !m.has(sealed) {
		t.Error("it left no sealed cache")
	}
	m.pcctl(0, `^stopped$`, "stop")
	m.pcctl(3, `nothing listens there`, "dump", "-w", "/tmp/out.pcap")
	m.pcctl(0, `^started: `, "start")
	m.dumped("what came before the stop", func(n int) bool { return n == 20 })

	// One that does not start says where to look.
	m.pcctl(0, ``, "stop")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(m.path(from), m.path(to)); err != nil {
			t.Fatal(err)
		}
	}
	move("/opt/packetcache/packetcache", "/opt/packetcache/away")
	m.pcctl(1, `^pcctl start: start packetcache: systemctl: exit status 1; see systemctl status packetcache and journalctl -u packetcache$`, "start")
	move("/opt/packetcache/away", "/opt/packetcache/packetcache")
	m.pcctl(0, `^started: `, "start")

	m.pcctl(0, `^uninstalled; settings and data are still there$`, "uninstall")
	if m.has(standInUnit) || !m.has(sealed) || !m.has(settings) {
		t.Errorf("unit %v, sealed cache %v, settings %v", m.has(standInUnit), m.has(sealed), m.has(settings))
	}
	m.pcctl(0, `^installed`, "install", "--no-start")
	m.pcctl(3, `nothing listens there`, "status")
	m.pcctl(0, `^started`, "start")
	m.dumped("what came before the removal", func(n int) bool { return n == 20 })
	m.pcctl(0, `^uninstalled, with its settings and data$`, "uninstall", "--purge")
	for _, dir := range []string{"/opt/packetcache", standInDir} {
		if err := os.RemoveAll(m.path(dir)); err != nil {
			t.Fatal(err)
		}
	}
	if left := m.left(); len(left) > 0 {
		t.Errorf("after the purge is left: %q", left)
	}
}

// dumped waits until a dump of the pings holds what it should.
func (m *managed) dumped(what string, enough func(packets int) bool) {
	m.t.Helper()
	file := m.path("/tmp/pings.pcap")
	eventually(m.t, what, func() bool {
		m.pcctl(0, ``, "dump", "--filter", "icmp", "-w", "/tmp/pings.pcap")
		return enough(len(sound(m.t, file)))
	})
	if err := os.Remove(file); err != nil {
		m.t.Fatal(err)
	}
	if rest, err := filepath.Glob(m.path("/tmp/pings*")); err != nil || len(rest) > 0 {
		m.t.Errorf("left: %q, %v", rest, err)
	}
}
