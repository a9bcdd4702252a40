package endtoend

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// Every malformed capture is replayed as far as it goes and told, and the
// service stays up.
func TestMalformedReplays(t *testing.T) {
	files := captures(t, corpus(t, "malformed-dev"))
	args := []string{"--ram-size", "64MiB"}
	for _, path := range files {
		args = append(args, "--replay", path)
	}
	s := start(t, "", args...)
	st := s.awaitReplay()

	where := regexp.MustCompile(`: byte \d+: `)
	broken := 0
	for _, path := range files {
		warning := warningOf(st, path)
		if warning == "" {
			continue
		}
		broken++
		if !where.MatchString(warning) {
			t.Errorf("the warning does not say where: %s", warning)
		}
		if !strings.Contains(s.log.String(), path) {
			t.Errorf("the log does not name %s", path)
		}
	}
	t.Logf("%d of %d files break off; %d packets held", broken, len(files), st.Totals.Stored.Packets)
	if broken == 0 || st.Totals.Stored.Packets < 1000 || st.Totals.Evicted.Packets > 0 {
		t.Errorf("%d files break off, %d packets are stored, %d evicted", broken, st.Totals.Stored.Packets, st.Totals.Evicted.Packets)
	}
	held := int(st.Totals.Stored.Packets)
	if n := len(readFile(t, s.dump())); n != held {
		t.Errorf("the pcap has %d packets, %d are held", n, held)
	}
	path := s.dump("--format", "pcapng")
	if n := len(readFile(t, path)); n != held {
		t.Errorf("the pcapng has %d packets, %d are held", n, held)
	}
	out := must(t, need(t, "tshark"), "-n", "-r", path, "-T", "fields", "-e", "frame.number")
	if n := strings.Count(out, "\n"); n != held {
		t.Errorf("tshark reads %d packets of the pcapng, %d are held", n, held)
	}
}

func warningOf(st control.Status, path string) string {
	for _, w := range st.Warnings {
		if strings.Contains(w, path) {
			return w
		}
	}
	return ""
}

// A service that finds its endpoint taken says by whom.
func TestEndpointInUse(t *testing.T) {
	file := bulk(t, 1<<20, 10)
	s := start(t, "", "--ram-size", "8MiB", "--replay", file)
	second := launchAt(t, "", s.dir, "--ram-size", "8MiB", "--replay", file)
	second.signal = true // it ends by itself
	if code := second.exitCode(t, patience); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if said := second.log.String(); !strings.Contains(said, "already in use by pid") || !strings.Contains(said, "--endpoint-dir") {
		t.Errorf("it says\n%s", said)
	}
	s.awaitReplay()
	if n := len(sound(t, s.dump())); n == 0 {
		t.Error("the first service lost its packets")
	}
}

// What is left of a service that was killed is no obstacle.
func TestStartAfterKill(t *testing.T) {
	file := bulk(t, 1<<20, 10)
	dir := shortDir(t)
	killed := launchAt(t, "", dir, "--ram-size", "8MiB", "--replay", file)
	killed.awaitReplay()
	killed.signal = true
	_ = killed.cmd.Process.Kill()
	<-killed.ended
	again := launchAt(t, "", dir, "--ram-size", "8MiB", "--replay", file)
	again.awaitReplay()
	if n := len(sound(t, again.dump())); n == 0 {
		t.Error("no packets")
	}
}

// Without permission nothing starts, and the message says what would help.
func TestNotPermitted(t *testing.T) {
	needRoot(t)
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	// Where nobody may not look, nobody cannot run either.
	for _, name := range []string{"packetcache", "pcctl"} {
		must(t, "cp", program(t, name), dir)
	}
	asNobody := func(name string, args ...string) (string, int) {
		cmd := exec.Command(filepath.Join(dir, name), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		j := begin(t, cmd)
		code := j.exitCode(t, patience)
		return j.stdout.String() + j.log.String(), code
	}
	said, code := asNobody("packetcache", "--ram-size", "8MiB", "--endpoint-dir", filepath.Join(dir, "run"))
	if code != 4 || !strings.Contains(said, "cap_net_raw") || !strings.Contains(said, "root") {
		t.Errorf("exit code %d, want 4: %s", code, said)
	}

	file := bulk(t, 1<<20, 10)
	s := start(t, "", "--ram-size", "8MiB", "--replay", file)
	for _, args := range [][]string{{"status"}, {"dump", "-w", "x"}, {"interfaces"}} {
		said, code = asNobody("pcctl", append(args, "--endpoint-dir", s.dir)...)
		if code != 4 || !strings.Contains(said, "Hint") {
			t.Errorf("pcctl %v: exit code %d, want 4: %s", args, code, said)
		}
	}
	said, code = asNobody("packetcache", "--ram-size", "8MiB", "--endpoint-dir", s.dir, "--replay", "/etc/shadow")
	if code != 4 {
		t.Errorf("a replay that may not be read: exit code %d, want 4: %s", code, said)
	}
	if st := s.awaitReplay(); st.Totals.Stored.Packets == 0 {
		t.Error("the service lost its packets")
	}
}

// Requests that make no sense are answered, and so is the next one.
func TestControlRefusesNonsense(t *testing.T) {
	s := start(t, "", "--ram-size", "8MiB", "--replay", bulk(t, 1<<20, 10))
	s.awaitReplay()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "control"))
		},
	}}
	defer client.CloseIdleConnections()
	for request, want := range map[string]int{
		"GET /v1/status":                                   http.StatusOK,
		"GET /v1/nothing":                                  http.StatusNotFound,
		"POST /v1/status":                                  http.StatusMethodNotAllowed,
		"GET /v1/dump?filter=udp+prot+53":                  http.StatusBadRequest,
		"GET /v1/dump?limit=-1":                            http.StatusBadRequest,
		"GET /v1/dump?since=yesterday":                     http.StatusBadRequest,
		"GET /v1/dump?fitler=udp":                          http.StatusBadRequest,
		"GET /v1/dump?last=1h&filter=udp":                  http.StatusOK,
		"GET /v1/status?x=" + strings.Repeat("y", 100_000): http.StatusRequestHeaderFieldsTooLarge,
	} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://packetcache"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", request[:min(len(request), 60)], err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", request[:min(len(request), 60)], resp.Status, want)
		}
	}
}
