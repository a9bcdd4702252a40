package capturetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the process that runs in the namespace.
const inside = "PACKETCACHE_TEST_NETNS"

// MainInNetNS is a TestMain that runs the tests in a network namespace of their
// own, which has nothing but lo and vanishes with them: it starts the test
// binary once more in there. Root is not needed where the system lets users
// have namespaces of their own. Where none can be had, the tests run as they
// are, and NeedNetNS skips those that need it.
//
//	func TestMain(m *testing.M) { os.Exit(capturetest.MainInNetNS(m)) }
func MainInNetNS(m *testing.M) int {
	if os.Getenv(inside) != "" {
		if err := quiet(); err != nil {
			fmt.Fprintln(os.Stderr, "prepare the network namespace:", err)
			return 1
		}
		return m.Run()
	}
	program, err := os.Executable()
	if err != nil {
		return m.Run()
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = inherited() // those through which go test -fuzz speaks
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	signal.Ignore(os.Interrupt) // the child gets it, too, and decides
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "no network namespace for the tests:", err)
		return m.Run()
	}
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "run the tests in a network namespace:", err)
		return 1
	}
	return 0
}

// inherited returns the open files beyond standard error, up to the first gap.
func inherited() (files []*os.File) {
	for fd := 3; fd <= 5; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			break
		}
		files = append(files, os.NewFile(uintptr(fd), "inherited"))
	}
	return files
}

// quiet keeps the kernel from sending packets of its own on new interfaces.
func quiet() error {
	for _, which := range []string{"all", "default"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// NeedNetNS skips the test where MainInNetNS found no namespace, and fails it
// there if CI=true.
func NeedNetNS(t testing.TB) {
	t.Helper()
	if os.Getenv(inside) != "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("needs a network namespace: run as root")
	}
	t.Skip("needs a network namespace: run as root")
}

// IP runs ip(8) with the words of a command line: IP(t, "link set va up").
func IP(t testing.TB, line string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

// Veth makes a pair of interfaces, named a and b and up, of which each receives
// what is sent on the other, and removes them after the test.
func Veth(t testing.TB, a, b string) {
	t.Helper()
	NeedNetNS(t)
	IP(t, "link add "+a+" type veth peer name "+b)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", a).Run() })
	IP(t, "link set "+a+" mtu 9000 up")
	IP(t, "link set "+b+" mtu 9000 up")
	AwaitCarrier(t, a, b)
}

// AwaitCarrier waits until interfaces that have been set up pass packets. The
// kernel gets to that in its own time, a second on a busy machine, and drops
// what is sent before.
func AwaitCarrier(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		Eventually(t, 20*time.Second, name+" is up", func() bool {
			out, err := exec.Command("ip", "-o", "link", "show", name).Output()
			return err == nil && strings.Contains(string(out), " state UP ")
		})
	}
}
