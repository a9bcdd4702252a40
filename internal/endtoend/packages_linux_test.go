//go:build !race

package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// The package for Debian on a machine with systemd, from the installation over an
// upgrade to the purge.
func TestDebianPackage(t *testing.T) {
	need(t, "dpkg")
	m := newMachine(t)
	file := func(version string) string {
		name := "packetcache_" + version + "-1_" + runtime.GOARCH + ".deb"
		m.put(filepath.Join(released(t, version), name), "/")
		return "/" + name
	}
	older, newer := file("1.0.0"), file(signedVersion)
	const (
		unit    = "/usr/lib/systemd/system/packetcache.service"
		enabled = "/etc/systemd/system/multi-user.target.wants/packetcache.service"
		words   = "recorded by the older one"
	)
	installed := func(version string) (pid int) {
		t.Helper()
		for _, program := range []string{"packetcache", "pcctl"} {
			if out := m.must(program, "--version"); !strings.Contains(out, version) {
				t.Errorf("%s is %s, want version %s", program, out, version)
			}
		}
		if out := m.must("dpkg", "--verify", "packetcache"); out != "" {
			t.Errorf("dpkg --verify says %s", out)
		}
		if !m.has(unit) || !m.has(enabled) {
			t.Errorf("the unit is there: %v, enabled: %v", m.has(unit), m.has(enabled))
		}
		m.await("version "+version, func(st control.Status) bool { return st.Version == version })
		return m.mainPID()
	}

	m.must("dpkg", "-i", older)
	first := installed("1.0.0")
	m.must("systemd-analyze", "verify", unit)
	m.a.play(t, "frame", "wire0", words)
	eventually(t, "the packet in the dump", func() bool { return m.remembers(words) })
	m.must("pcctl", "config", "set", "bias", "3")
	const settings, data = "/etc/packetcache/packetcache.toml", "/var/lib/packetcache/PacketCache.sealed"
	kept := func() {
		t.Helper()
		if bias := m.must("pcctl", "config", "get", "bias"); bias != "3\n" {
			t.Errorf("bias is %s", bias)
		}
		eventually(t, "the packet of before in the dump", func() bool { return m.remembers(words) })
	}

	// The service starts anew, with its settings and what it has recorded.
	m.must("dpkg", "-i", newer)
	if second := installed(signedVersion); second == first {
		t.Error("it is the same process after the upgrade")
	}
	kept()
	m.must("dpkg", "-r", "packetcache")
	if m.has("/usr/bin/packetcache") || m.has(unit) || !m.has(settings) || !m.has(data) || m.mainPID() != 0 {
		t.Errorf("after the removal: program %v, unit %v, settings %v, sealed cache %v, process %d",
			m.has("/usr/bin/packetcache"), m.has(unit), m.has(settings), m.has(data), m.mainPID())
	}
	m.must("dpkg", "-i", newer)
	installed(signedVersion)
	kept()
	m.must("dpkg", "-P", "packetcache")
	if pid := m.mainPID(); pid != 0 {
		t.Errorf("after the purge it runs as process %d", pid)
	}
	for _, name := range []string{older, newer} {
		if err := os.Remove(m.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if left := m.left(); len(left) > 0 {
		t.Errorf("after the purge is left: %q", left)
	}

	need(t, "lintian")
	stdout, stderr, code := run(t, "lintian", "--allow-root", "--fail-on", "error,warning", filepath.Join(released(t, "1.0.0"), filepath.Base(older)))
	if code != 0 {
		t.Errorf("lintian ends with exit code %d\n%s%s", code, stdout, stderr)
	}
}

// The package for RPM has what it should, as rpm reads it.
func TestRPMPackage(t *testing.T) {
	need(t, "rpm")
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	path := filepath.Join(released(t, "1.0.0"), "packetcache-1.0.0-1."+arch+".rpm")
	query := func(args ...string) []string {
		t.Helper()
		return strings.Split(strings.TrimSpace(must(t, "rpm", append(args, path)...)), "\n")
	}
	if got, want := query("-qp", "--queryformat", "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE}"), []string{"packetcache 1.0.0 1 " + arch + " Apache-2.0"}; !slices.Equal(got, want) {
		t.Errorf("it is %q, want %q", got, want)
	}
	files := query("-qp", "--list")
	for _, want := range []string{"/usr/bin/packetcache", "/usr/bin/pcctl", "/usr/lib/systemd/system/packetcache.service", "/usr/share/doc/packetcache/THIRD-PARTY.txt",
		"/usr/share/man/man1/pcctl.1.gz", "/usr/share/man/man8/packetcache.8.gz", "/usr/share/bash-completion/completions/pcctl"} {
		if !slices.Contains(files, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	for _, name := range files {
		// Directories of others would be in conflict with theirs.
		if strings.Count(name, "/") < 3 || strings.Contains(name, "lintian") {
			t.Errorf("it has %s", name)
		}
	}
	for _, kind := range []string{"post", "preun", "postun"} {
		script := strings.Join(query("-qp", "--queryformat", fmt.Sprintf("%%{%s}", strings.ToUpper(map[string]string{"post": "postin", "preun": "preun", "postun": "postun"}[kind]))), "\n")
		path := filepath.Join(t.TempDir(), kind)
		if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		must(t, "sh", "-n", path)
		if !strings.Contains(script, "packetcache.service") {
			t.Errorf("the script %s is %q", kind, script)
		}
	}
}

// The package for RPM on a machine with systemd, as far as Debian's rpm goes, which
// knows nothing of what else is installed.
func TestRPMLives(t *testing.T) {
	need(t, "rpm")
	m := newMachine(t)
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	rpm := func(args ...string) {
		t.Helper()
		if m.has("/etc/debian_version") {
			args = append(args, "--force-debian") // it would rather be alien
		}
		m.must("rpm", append([]string{"--nodeps"}, args...)...)
	}
	file := func(version string) string {
		name := "packetcache-" + version + "-1." + arch + ".rpm"
		m.put(filepath.Join(released(t, version), name), "/root")
		return "/root/" + name
	}
	is := func(version string) (pid int) {
		t.Helper()
		m.await("version "+version, func(st control.Status) bool { return st.Version == version })
		return m.mainPID()
	}
	const words, data = "recorded by the older one", "/var/lib/packetcache/PacketCache.sealed"

	rpm("--install", file("1.0.0"))
	m.must("systemctl", "enable", "--now", "packetcache")
	first := is("1.0.0")
	m.a.play(t, "frame", "wire0", words)
	eventually(t, "the packet in the dump", func() bool { return m.remembers(words) })
	rpm("--upgrade", file(signedVersion))
	if second := is(signedVersion); second == first {
		t.Error("it is the same process after the upgrade")
	}
	eventually(t, "the packet of before in the dump", func() bool { return m.remembers(words) })
	rpm("--verify", "packetcache")
	rpm("--erase", "packetcache")
	if pid := m.mainPID(); pid != 0 || m.has("/usr/bin/packetcache") || m.has("/etc/systemd/system/multi-user.target.wants/packetcache.service") || !m.has(data) {
		t.Errorf("after the removal: process %d, program %v, sealed cache %v", pid, m.has("/usr/bin/packetcache"), m.has(data))
	}
}
