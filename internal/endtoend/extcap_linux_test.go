package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// A bench of Wireshark is its programs with an extcap folder of their own, which
// stands in the place of the machine's.
type wireshark struct {
	t      testing.TB
	folder string // the machine's
	own    string
	s      *service
}

func newWireshark(t testing.TB, s *service) wireshark {
	t.Helper()
	needRoot(t)
	need(t, "tshark")
	for line := range strings.Lines(must(t, "tshark", "-G", "folders")) {
		name, path, _ := strings.Cut(line, ":")
		if (name == "Extcap path" || name == "Global Extcap path") && strings.TrimSpace(path) != "" {
			w := wireshark{t, strings.TrimSpace(path), t.TempDir(), s}
			if err := os.MkdirAll(w.folder, 0o755); err != nil {
				t.Fatal(err)
			}
			return w
		}
	}
	t.Fatal("tshark names no extcap folder")
	return wireshark{}
}

// command prepares a program of Wireshark, or one that should see its folder.
func (w wireshark) command(name string, args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c",
		`mount --bind "$0" "$1" && shift && exec "$@"`, w.own, w.folder, name}, args...)...)
	cmd.Env = append(os.Environ(), "PACKETCACHE_ENDPOINT_DIR="+w.s.dir, "HOME="+w.own)
	return cmd
}

func (w wireshark) run(name string, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	j := begin(w.t, w.command(name, args...))
	code = j.exitCode(w.t, patience)
	return j.stdout.String(), j.log.String(), code
}

// tshark lists the interface that "pcctl extcap install" makes, captures from it
// what is there and what comes, with a filter, and tells what is refused.
func TestExtcap(t *testing.T) {
	wire := newWire(t)
	s := start(t, wire.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	w := newWireshark(t, s)
	if stdout, stderr, code := w.run(program(t, "pcctl"), "extcap", "install", "--system"); code != 0 {
		t.Fatalf("extcap install: exit code %d\n%s%s", code, stdout, stderr)
	}
	stdout, stderr, code := w.run("tshark", "-D")
	if code != 0 || !strings.Contains(stdout, ". packetcache (PacketCache)\n") {
		t.Fatalf("tshark -D: exit code %d\n%s%s", code, stdout, stderr)
	}

	wire.a.must(t, "ping", "-n", "-c", "20", "-i", "0.01", plain4)
	s.await("40 pings and answers", func(st control.Status) bool { return st.Totals.Stored.Packets >= 40 })
	file := filepath.Join(t.TempDir(), "history.pcapng")
	_, stderr, code = w.run("tshark", "-o", "extcap.packetcache.follow:false", "-i", "packetcache", "-f", "icmp", "-w", file)
	if code != 0 || strings.Contains(stderr, "Error") {
		t.Fatalf("tshark -i packetcache: exit code %d\n%s", code, stderr)
	}
	history := readFile(t, file)
	if len(history) != 40 {
		t.Errorf("%d pings and answers of the history, want 40\n%s", len(history), stderr)
	}

	// Live: what is there comes first, then what happens. tshark ends itself.
	following := begin(t, w.command("tshark", "-n", "-l", "-i", "packetcache", "-f", "icmp", "-c", "60", "-T", "fields", "-e", "icmp.type"))
	eventually(t, "the history in tshark", func() bool { return strings.Count(following.stdout.String(), "\n") >= 40 })
	wire.a.must(t, "ping", "-n", "-c", "10", "-i", "0.01", plain4)
	if code := following.exitCode(t, patience); code != 0 || strings.Count(following.stdout.String(), "\n") != 60 {
		t.Errorf("tshark that follows: exit code %d\n%s%s", code, following.stdout.String(), following.log.String())
	}
	s.await("the end of the dump that tshark read", func(st control.Status) bool { return st.Dumps.Active == 0 })

	_, stderr, code = w.run("tshark", "-i", "packetcache", "-f", "port x")
	if code == 0 || !strings.Contains(stderr, "no port is named 'x'") {
		t.Errorf("a bad filter: exit code %d\n%s", code, stderr)
	}
	_, stderr, code = w.run("tshark", "-o", "extcap.packetcache.last:5x", "-i", "packetcache")
	if code == 0 || !strings.Contains(stderr, `"5x" is not a length of time`) {
		t.Errorf("a bad length of time: exit code %d\n%s", code, stderr)
	}
	s.stop(15)
	_, stderr, code = w.run("tshark", "-i", "packetcache")
	if code == 0 || !strings.Contains(stderr, "nothing listens there") {
		t.Errorf("without a service: exit code %d\n%s", code, stderr)
	}
	if _, stderr, code := w.run(program(t, "pcctl"), "extcap", "uninstall"); code != 0 {
		t.Errorf("extcap uninstall: exit code %d\n%s", code, stderr)
	}
	if left, err := os.ReadDir(w.own); err != nil || strings.Contains(strings.Join(names(left), " "), "packetcache") {
		t.Errorf("left in the folder: %v, %v", names(left), err)
	}
}

func names(entries []os.DirEntry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
