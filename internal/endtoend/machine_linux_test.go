//go:build !race

package endtoend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// A machine is this one, booted anew with a systemd of its own, at end a of a wire,
// and with changes that go with the test.
type machine struct {
	t *testing.T
	wire
	init string // its process 1, as this machine counts
}

// boot lays a file system over that of this machine ($1, a directory) and becomes
// systemd in there, as in a container: kernel settings are not its own. Of units only
// those count that come with packages, of programs none but basic.target's. What has
// changed is in /mnt.
const boot = `set -e
mount -t tmpfs none "$1"; mkdir "$1/top" "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/top"
cd "$1/top"
mount --bind "$1/upper" mnt
mount -t proc none proc; mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
mount -t sysfs none sys; mount -t cgroup2 none sys/fs/cgroup; mount -o remount,bind,ro sys
for dir in run tmp var/tmp dev; do mount -t tmpfs -o mode=755 none $dir; done
chmod 1777 tmp var/tmp
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none dev/pts; ln -s pts/ptmx dev/ptmx
mount -t tmpfs none dev/shm
find etc/systemd/system -mindepth 1 -delete
rm -f usr/sbin/policy-rc.d # with which images keep packages from starting services
: >etc/machine-id; : >etc/fstab
mkdir run/old; pivot_root . run/old; umount -l /run/old
exec env -i container=packetcache-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=no
`

// newMachine boots a machine.
func newMachine(t *testing.T) *machine {
	t.Helper()
	needRoot(t)
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		unavailable(t, "there is no systemd here")
	}
	m := &machine{t: t, wire: newWire(t)}
	group := newControlGroup(t)
	const enter = `echo $$ >"$0/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc sh -c "$1" sh "$2"`
	// "ip netns exec" would hide control groups.
	holder := begin(t, exec.Command("nsenter", "--net=/run/netns/"+string(m.a), "sh", "-c", enter, group, boot, t.TempDir()))
	eventually(t, "systemd, or an error", func() bool {
		pid := holder.cmd.Process.Pid
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if m.init = strings.TrimSpace(string(text)); err != nil || m.init == "" {
			return !holder.running()
		}
		name, err := os.ReadFile(filepath.Join("/proc", m.init, "comm"))
		return err == nil && string(name) == "systemd\n" || !holder.running()
	})
	// What it starts goes with it.
	t.Cleanup(func() {
		if t.Failed() && holder.running() {
			said, _, _ := m.run("systemctl", "status", "--no-pager", "--full", "packetcache")
			journal, _, _ := m.run("journalctl", "--no-pager", "--lines=60")
			t.Logf("the machine says:\n%s\n%s\n%s", said, journal, holder.log.String())
		}
		_ = exec.Command("kill", "-KILL", m.init).Run()
		<-holder.ended
	})
	if !holder.running() {
		unavailable(t, "a systemd of its own does not start here: "+holder.log.String())
	}
	eventually(t, "the start of systemd", func() bool {
		out, _, _ := m.run("systemctl", "is-active", "basic.target")
		return out == "active\n" || !holder.running()
	})
	return m
}

// newControlGroup makes a control group for a machine, which goes with the test, and
// returns its directory.
func newControlGroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[2] == "cgroup2" {
			dir, err := os.MkdirTemp(fields[1], "packetcache-test-") //nolint:usetesting // only a mount of them has control groups
			if err != nil {
				unavailable(t, err.Error())
			}
			t.Cleanup(func() {
				// From within outwards; each of them is empty once its processes have ended.
				eventually(t, "the end of the control group", func() bool {
					_ = exec.Command("find", dir, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+").Run()
					_, err := os.Stat(dir)
					return errors.Is(err, fs.ErrNotExist)
				})
			})
			return dir
		}
	}
	unavailable(t, "there are no control groups (cgroup2) here")
	return ""
}

// path is where a file of the machine is, as seen from here.
func (m *machine) path(name string) string { return filepath.Join("/proc", m.init, "root", name) }

func (m *machine) run(name string, args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	return run(m.t, "nsenter", append([]string{"--target", m.init, "--mount", "--pid", "--net", "--cgroup", "--uts", "--ipc", "--",
		"/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", name}, args...)...)
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

// put copies a file of this machine into a directory of that one.
func (m *machine) put(from, dir string) {
	m.t.Helper()
	must(m.t, "cp", from, m.path(dir)+"/")
}

// left are the names of what the machine has and this one has not, that tell of
// PacketCache. The journals of dpkg do in any case.
func (m *machine) left() (names []string) {
	m.t.Helper()
	upper := m.path("/mnt")
	err := filepath.WalkDir(upper+"/", func(path string, d fs.DirEntry, err error) error {
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

// status asks the service of the machine for its status.
func (m *machine) status() (st control.Status, ok bool) {
	m.t.Helper()
	stdout, _, code := m.run("pcctl", "status", "--json")
	if code != 0 {
		return st, false
	}
	if err := json.Unmarshal([]byte(stdout), &st); err != nil {
		m.t.Fatalf("pcctl status: %v in\n%s", err, stdout)
	}
	return st, true
}

// await polls the status until the service records from the wire, and whatever else is
// asked.
func (m *machine) await(what string, holds func(control.Status) bool) (st control.Status) {
	m.t.Helper()
	eventually(m.t, what, func() bool {
		var ok bool
		st, ok = m.status()
		return ok && interfaceOf(st, "wire0").State == control.InterfaceCapturing && holds(st)
	})
	return st
}

// remembers reports whether a packet is in the cache.
func (m *machine) remembers(words string) bool {
	m.t.Helper()
	return strings.Contains(m.must("pcctl", "dump", "-w", "-"), words)
}

// mainPID is the process of the service, 0 if it does not run.
func (m *machine) mainPID() int {
	m.t.Helper()
	out := m.must("systemctl", "show", "--property=MainPID", "--value", "packetcache")
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		m.t.Fatal(err)
	}
	return pid
}
