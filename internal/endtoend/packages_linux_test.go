//go:build !race

package endtoend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A machine is this one, with changes of its own that go with the test.
type machine struct {
	t      *testing.T
	holder *job
	top    string // of its file system, in the holder's
	upper  string // what was changed of it, in the holder's
}

// newMachine lays a file system over that of this machine.
func newMachine(t *testing.T) *machine {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	m := &machine{t: t, top: filepath.Join(dir, "top"), upper: filepath.Join(dir, "upper")}
	const prepare = `set -e
mkdir "$1/top"; mount -t tmpfs none "$1"; mkdir "$1/top" "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/top"
mount -t proc none "$1/top/proc"; mount -t tmpfs none "$1/top/run"; mount --rbind /dev "$1/top/dev"
echo ready; exec sleep infinity`
	m.holder = begin(t, exec.Command("unshare", "--mount", "sh", "-c", prepare, "sh", dir))
	eventually(t, "the file system, or an error", func() bool {
		return strings.Contains(m.holder.stdout.String(), "ready") || !m.holder.running()
	})
	if !m.holder.running() {
		unavailable(t, "a file system over this one: "+m.holder.log.String())
	}
	return m
}

// path is where a file of the machine is, as seen from here.
func (m *machine) path(name string) string {
	return filepath.Join("/proc", strconv.Itoa(m.holder.cmd.Process.Pid), "root", m.top, name)
}

func (m *machine) run(name string, args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	return run(m.t, "nsenter", append([]string{"--target", strconv.Itoa(m.holder.cmd.Process.Pid), "--mount",
		"chroot", m.top, "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", name}, args...)...)
}

func (m *machine) must(name string, args ...string) string {
	m.t.Helper()
	stdout, stderr, code := m.run(name, args...)
	if code != 0 {
		m.t.Fatalf("%s %s: exit code %d\n%s%s", name, strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

func (m *machine) has(name string) bool {
	_, err := os.Lstat(m.path(name))
	return err == nil
}

// write makes a file.
func (m *machine) write(name, text string) {
	m.t.Helper()
	path := m.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		m.t.Fatal(err)
	}
}

// left are the names of what the machine has and this one has not, that tell of
// PacketCache. The journals of dpkg do in any case.
func (m *machine) left() (names []string) {
	m.t.Helper()
	upper := filepath.Join("/proc", strconv.Itoa(m.holder.cmd.Process.Pid), "root", m.upper)
	err := filepath.WalkDir(upper, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// What was removed of this machine has a mark, a device.
		if d.Type()&fs.ModeDevice == 0 && strings.Contains(strings.ToLower(d.Name()), "packetcache") {
			names = append(names, strings.TrimPrefix(path, upper))
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return names
}

// The package for Debian, from the installation over an upgrade to the purge.
func TestDebianPackage(t *testing.T) {
	need(t, "dpkg")
	m := newMachine(t)
	file := func(version string) string {
		name := "packetcache_" + version + "-1_" + runtime.GOARCH + ".deb"
		text, err := os.ReadFile(filepath.Join(released(t, version), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m.path(name), text, 0o644); err != nil {
			t.Fatal(err)
		}
		return "/" + name
	}
	older, newer := file("1.0.0"), file(signedVersion)
	const (
		unit    = "/usr/lib/systemd/system/packetcache.service"
		enabled = "/etc/systemd/system/multi-user.target.wants/packetcache.service"
	)
	installed := func(version string) {
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
	}

	m.must("dpkg", "-i", older)
	installed("1.0.0")
	m.must("systemd-analyze", "verify", unit)
	const settings, data, key = "/etc/packetcache/packetcache.toml", "/var/lib/packetcache/PacketCache.sealed", "/var/lib/packetcache/age1abc.key"
	m.write(settings, "bias = 3\n")
	m.write(data, "sealed")
	m.write(key, "secret")
	kept := func() {
		t.Helper()
		for _, name := range []string{settings, data, key} {
			if !m.has(name) {
				t.Errorf("%s is gone", name)
			}
		}
	}
	m.must("dpkg", "-i", newer)
	installed(signedVersion)
	kept()
	m.must("dpkg", "-r", "packetcache")
	if m.has("/usr/bin/packetcache") || m.has(unit) {
		t.Error("programs are still there")
	}
	kept()
	m.must("dpkg", "-i", newer)
	installed(signedVersion)
	m.must("dpkg", "-P", "packetcache")
	for _, name := range []string{older, newer} {
		if err := os.Remove(m.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if left := m.left(); len(left) > 0 {
		t.Errorf("after the purge is left: %q", left)
	}

	need(t, "lintian")
	stdout, stderr, code := run(t, "lintian", "--allow-root", "--fail-on", "error", filepath.Join(released(t, "1.0.0"), filepath.Base(older)))
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
		"/usr/share/man/man1/pcctl.1.gz", "/usr/share/bash-completion/completions/pcctl"} {
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
