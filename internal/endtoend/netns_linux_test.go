package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// Namespaces are named after the process, so that runs do not meet and what a
// killed run has left can be told.
const nsPrefix = "pce2e-"

var namespaces atomic.Int32

// A namespace is the name of a network namespace.
type namespace string

// newNamespace makes a network namespace that goes with the test.
func newNamespace(t testing.TB) namespace {
	t.Helper()
	needRoot(t)
	name := fmt.Sprintf("%s%d-%d", nsPrefix, os.Getpid(), namespaces.Add(1))
	must(t, "ip", "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	ns := namespace(name)
	ns.ip(t, "link set lo up")
	return ns
}

// sweepNamespaces removes those of runs that were killed.
func sweepNamespaces() {
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		return
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, _, _ := strings.Cut(strings.TrimPrefix(name, nsPrefix), "-")
		if strings.HasPrefix(name, nsPrefix) && !alive(pid) {
			_ = exec.Command("ip", "netns", "del", name).Run()
		}
	}
}

// ip runs ip(8) in the namespace with the words of a command line.
func (ns namespace) ip(t testing.TB, line string) string {
	t.Helper()
	return must(t, "ip", append([]string{"-n", string(ns)}, strings.Fields(line)...)...)
}

// command prepares a program to run in the namespace; without one, as it is.
func (ns namespace) command(name string, args ...string) *exec.Cmd {
	if ns == "" {
		return exec.Command(name, args...)
	}
	// ip becomes the program, so that signals reach it.
	return exec.Command("ip", append([]string{"netns", "exec", string(ns), name}, args...)...)
}

// must runs a program in the namespace that has to succeed.
func (ns namespace) must(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := ns.command(name, args...)
	return must(t, cmd.Args[0], cmd.Args[1:]...)
}

// role prepares the test binary in one of its roles.
func (ns namespace) role(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := ns.command(exe, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+name)
	return cmd
}

// A wire is two namespaces that are joined by a veth, which is called wire0 in
// both of them. On it can be VLAN 7 (wire0.7), and VLAN 10 (qinq) within
// service VLAN 9 (wire0.9).
type wire struct{ a, b namespace }

// The addresses of b, by network; those of a end in 1.
var (
	plain4, plain6 = "10.77.0.2", "fd77::2"
	vlan4, vlan6   = "10.77.7.2", "fd77:7::2"
	qinq4          = "10.77.10.2"
)

func newWire(t testing.TB) wire {
	t.Helper()
	w := wire{newNamespace(t), newNamespace(t)}
	must(t, "ip", "link", "add", "wire0", "netns", string(w.a), "type", "veth",
		"peer", "name", "wire0", "netns", string(w.b))
	for i, ns := range []namespace{w.a, w.b} {
		host := i + 1
		ns.ip(t, "link set wire0 up")
		ns.ip(t, fmt.Sprintf("addr add 10.77.0.%d/24 dev wire0", host))
		ns.ip(t, fmt.Sprintf("addr add fd77::%d/64 dev wire0 nodad", host))
	}
	return w
}

// addVLANs puts the VLAN devices on both ends. It reports false where the
// kernel has none.
func (w wire) addVLANs(t testing.TB) bool {
	t.Helper()
	if out, err := w.a.command("ip", "link", "add", "link", "wire0", "name", "probe", "type", "vlan", "id", "1").CombinedOutput(); err != nil {
		t.Logf("no VLAN devices here, tagged frames are made by hand only: %s", out)
		return false
	}
	w.a.ip(t, "link del probe")
	for i, ns := range []namespace{w.a, w.b} {
		host := i + 1
		ns.ip(t, "link add link wire0 name wire0.7 type vlan id 7")
		ns.ip(t, "link add link wire0 name wire0.9 type vlan proto 802.1ad id 9")
		ns.ip(t, "link add link wire0.9 name qinq type vlan id 10")
		for _, dev := range []string{"wire0.7", "wire0.9", "qinq"} {
			ns.ip(t, "link set "+dev+" up")
		}
		ns.ip(t, fmt.Sprintf("addr add 10.77.7.%d/24 dev wire0.7", host))
		ns.ip(t, fmt.Sprintf("addr add fd77:7::%d/64 dev wire0.7 nodad", host))
		ns.ip(t, fmt.Sprintf("addr add 10.77.10.%d/24 dev qinq", host))
	}
	return true
}
