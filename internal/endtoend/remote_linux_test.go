package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// A sshServer is an sshd of the test, and what it takes to log on to it.
type sshServer struct {
	host, port string
	dir        string
}

// startSSH runs sshd in a namespace, in none on loopback.
func startSSH(t testing.TB, ns namespace, host string) sshServer {
	t.Helper()
	needRoot(t)
	sshd := need(t, "sshd")
	server := sshServer{host: host, port: freePort(t), dir: t.TempDir()}
	for _, key := range []string{"host", "user"} {
		must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(server.dir, key))
	}
	public, err := os.ReadFile(filepath.Join(server.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"known": fmt.Sprintf("[%s]:%s %s", host, server.port, public),
		"sshd_config": fmt.Sprintf("ListenAddress %s:%s\nHostKey %s\nAuthorizedKeysFile %s\nPermitRootLogin yes\nStrictModes no\nUsePAM no\nPidFile none\nUseDNS no\n",
			host, server.port, filepath.Join(server.dir, "host"), filepath.Join(server.dir, "user.pub")),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(server.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // it insists
		t.Fatal(err)
	}
	j := begin(t, ns.command(sshd, "-D", "-e", "-f", filepath.Join(server.dir, "sshd_config")))
	eventually(t, "sshd listening", func() bool {
		if !j.running() {
			t.Fatalf("sshd: %s", j.log.String())
		}
		return strings.Contains(j.log.String(), "Server listening")
	})
	return server
}

// freePort is one that nobody listens at now.
func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// ssh is how pcctl is to run ssh for it.
func (s sshServer) ssh(port string) string {
	return fmt.Sprintf("ssh -F none -p %s -i %s -o UserKnownHostsFile=%s -o HostKeyAlias=[%s]:%s -o BatchMode=yes",
		port, filepath.Join(s.dir, "user"), filepath.Join(s.dir, "known"), s.host, s.port)
}

// remotely prepares a pcctl that reads the cache of a service by ssh.
func (s *service) remotely(ns namespace, server sshServer, port string, args ...string) *exec.Cmd {
	s.t.Helper()
	pcctl := program(s.t, "pcctl")
	all := append([]string{"dump", "--remote", server.host, "--user", "root", "--ssh", server.ssh(port),
		"--remote-pcctl", "env PACKETCACHE_ENDPOINT_DIR=" + s.dir + " " + pcctl}, args...)
	cmd := ns.command(pcctl, all...)
	cmd.Dir = s.t.TempDir()
	return cmd
}

// finished runs a program to its end.
func finished(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	j := begin(t, cmd)
	code = j.exitCode(t, patience)
	return j.stdout.String(), j.log.String(), code
}

// inDir are the names of what a directory holds.
func inDir(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return names(entries)
}

func TestRemoteDump(t *testing.T) {
	server := startSSH(t, "", "127.0.0.1")
	s := start(t, newNamespace(t), "--ram-size", "40MiB", "--replay", office(t))
	s.awaitReplay()
	want, err := os.ReadFile(s.dump())
	if err != nil {
		t.Fatal(err)
	}

	// Without -w it is called after the host: here, as the test has no terminal, it
	// goes to standard output.
	cmd := s.remotely("", server, server.port)
	file := filepath.Join(t.TempDir(), "out.pcap")
	cmd.Args = append(cmd.Args, "-w", file)
	if stdout, stderr, code := finished(t, cmd); code != 0 || stdout != "" || !strings.Contains(stderr, "sha256") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != string(want) {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
	}

	// What is chosen arrives, through two command lines.
	stdout, stderr, code := finished(t, s.remotely("", server, server.port, "--filter", "(udp port 53) and ip[8] > 1 && host 10.8.0.1 or icmp", "--format", "pcapng", "--json", "-w", file))
	var report struct {
		File    string
		Packets int
		SHA256  string
	}
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if n := len(readFile(t, file)); n == 0 || n != report.Packets || report.File != file || len(report.SHA256) != 64 {
		t.Errorf("%d packets, told %+v", n, report)
	}

	// What is wrong there is told here.
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"a filter", []string{"--filter", "tcp port 'x"}, 2, []string{"127.0.0.1: ", "\n  tcp port 'x\n"}},
		{"no service", []string{"--remote-pcctl", program(t, "pcctl") + " --endpoint-dir " + t.TempDir()}, 3, []string{"nothing listens there", "Hint: on 127.0.0.1: start the service"}},
		{"no pcctl", []string{"--remote-pcctl", "/nowhere/pcctl"}, 1, []string{"/nowhere/pcctl", "Hint: install PacketCache there"}},
		{"no such user", []string{"--user", "nobody-here"}, 1, []string{"Permission denied", "logs on"}},
		{"nobody listens", []string{"--ssh", server.ssh(freePort(t))}, 1, []string{"Connection refused", "logs on"}},
	} {
		cmd := s.remotely("", server, server.port, append([]string{"-w", "new.pcap"}, test.args...)...)
		_, stderr, code := finished(t, cmd)
		if code != test.code {
			t.Errorf("%s: exit code %d, want %d\n%s", test.name, code, test.code, stderr)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: no %q in\n%s", test.name, want, stderr)
			}
		}
		if left := inDir(t, cmd.Dir); len(left) > 0 {
			t.Errorf("%s: left %v", test.name, left)
		}
	}
}

// TestRemoteDumpIsCut: a connection that breaks in the middle leaves nothing, is
// told, and the next try works.
func TestRemoteDumpIsCut(t *testing.T) {
	server := startSSH(t, "", "127.0.0.1")
	s := start(t, newNamespace(t), "--ram-size", "40MiB", "--replay", office(t))
	s.awaitReplay()
	proxy := newProxy(t, net.JoinHostPort(server.host, server.port))
	cmd := s.remotely("", server, proxy.port(), "-w", "out.pcap")
	dir := cmd.Dir
	proxy.most.Store(1 << 20)
	_, stderr, code := finished(t, cmd)
	if code != 1 || !strings.Contains(stderr, "the connection to 127.0.0.1 broke after ") || !strings.Contains(stderr, "nothing was kept; run it again") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if left := inDir(t, dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	s.await("the end of the dump there", func(st control.Status) bool { return st.Dumps.Active == 0 })

	proxy.most.Store(1 << 40)
	again := s.remotely("", server, proxy.port(), "-w", "out.pcap")
	again.Dir = dir
	if _, stderr, code := finished(t, again); code != 0 || fmt.Sprint(inDir(t, dir)) != "[out.pcap]" {
		t.Errorf("again: exit code %d, %v\n%s", code, inDir(t, dir), stderr)
	}
	sound(t, filepath.Join(dir, "out.pcap"))
}

// A proxy passes connections on, and cuts each off after some bytes from the
// server.
type proxy struct {
	ln   net.Listener
	most atomic.Int64
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	p := &proxy{ln: ln}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				defer client.Close()
				defer server.Close()
				go func() { _, _ = io.Copy(server, client) }()
				_, _ = io.CopyN(client, server, p.most.Load())
			}()
		}
	}()
	return p
}

func (p *proxy) port() string { return strconv.Itoa(p.ln.Addr().(*net.TCPAddr).Port) }

// TestRemoteFollow: over a network that is recorded, who follows does not see what
// it is sent.
func TestRemoteFollow(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	server := startSSH(t, w.a, "10.77.0.1")
	w.b.must(t, "ping", "-n", "-c", "5", "-i", "0.01", "10.77.0.1")
	cmd := s.remotely(w.b, server, server.port, "--follow", "-w", "live.pcap")
	following := begin(t, cmd)
	s.await("a dump that follows", func(st control.Status) bool { return st.Dumps.Active > 0 })
	w.b.must(t, "ping", "-n", "-c", "10", "-i", "0.05", "10.77.0.1")
	eventually(t, "15 pings and answers in the cache", func() bool { return len(readFile(t, s.dump("--filter", "icmp"))) == 30 })
	// The terminal sends it to all programs.
	signalTree(t, following.cmd.Process.Pid, syscall.SIGINT)
	if code := following.exitCode(t, patience); code != 0 {
		t.Fatalf("exit code %d\n%s", code, following.log.String())
	}
	pings, own := 0, 0
	for _, r := range sound(t, filepath.Join(cmd.Dir, "live.pcap")) {
		if len(r.data) > 34 && r.data[12:14] == "\x08\x00" {
			switch r.data[23] {
			case 1:
				pings++
			case 6:
				own++
			}
		}
	}
	if pings != 30 || own != 0 {
		t.Errorf("%d pings and answers, want 30, and %d packets of the connection itself\n%s", pings, own, following.log.String())
	}
}

// signalTree sends a signal to a process and those below it.
func signalTree(t testing.TB, pid int, sig syscall.Signal) {
	t.Helper()
	out, _ := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(pid)).Output()
	for _, word := range strings.Fields(string(out)) {
		if child, err := strconv.Atoi(word); err == nil {
			signalTree(t, child, sig)
		}
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}
