package endtoend

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// A run in a terminal does not begin with a wrong setting that would let in what it
// was to keep out, and tells it; one that does no harm is told and ignored.
func TestWrongSettingsAreToldOnce(t *testing.T) {
	needRoot(t)
	const script = `mount -t tmpfs none /etc && mkdir /etc/packetcache &&
		printf 'capture-filter = "port 53 or"\nbias = 99\n' > /etc/packetcache/packetcache.toml &&
		exec "$0" --ram-size 8MiB --endpoint-dir "$1"`
	stdout, stderr, code := run(t, need(t, "unshare"), "-m", "sh", "-c", script, program(t, "packetcache"), t.TempDir())
	if code != 2 || stdout != "" {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	for words, times := range map[string]int{
		"capture-filter = ": 1, "nothing is recorded until it is right": 1, "bias = 99": 1, "the value is ignored": 1,
	} {
		if got := strings.Count(stderr, words); got != times {
			t.Errorf("%q stands there %d times, want %d:\n%s", words, got, times, stderr)
		}
	}
}

// A service does begin with it, and records nothing until it is right.
func TestNothingIsRecordedUntilSettingsAreRight(t *testing.T) {
	w := newWire(t)
	settings, write := newSettings(t)
	write("interfaces = [\"[\"]\n")
	s := startManaged(t, w, shortDir(t), settings)
	s.await("the wrong setting, and the interface that is not recorded", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), "nothing is recorded until it is right") &&
			interfaceOf(st, "wire0").State == control.InterfaceExcluded
	})
	write("interfaces = [\"wire?\"]\n")
	s.await("the right one", func(st control.Status) bool { return interfaceOf(st, "wire0").State == control.InterfaceCapturing })
}

// A start whose settings cannot be read as a whole leaves alone what an earlier run has
// left: nobody knows how much memory it takes, for which keys it is to be sealed anew,
// and whether anything is to be kept at all.
func TestUnreadSettingsLeaveTheSealedCache(t *testing.T) {
	w := newWire(t)
	settings, write := newSettings(t)
	dir := shortDir(t)
	sealed := filepath.Join(dir, "data", "PacketCache.sealed")
	write("")
	s := startManaged(t, w, dir, settings)
	s.await("the interface", func(st control.Status) bool { return interfaceOf(st, "wire0").State == control.InterfaceCapturing })
	s.stop(syscall.SIGTERM)
	before, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	write("oops")
	s = startManaged(t, w, dir, settings)
	s.await("the settings that cannot be read", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), "nothing is recorded until it is right")
	})
	if shown, _, _ := s.pcctl("status"); !strings.Contains(shown, "until a start with right ones") {
		t.Errorf("pcctl status says\n%s", shown)
	}
	s.stop(syscall.SIGTERM)
	if after, err := os.ReadFile(sealed); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the sealed cache is another: %v", err)
	}
	write("")
	s = startManaged(t, w, dir, settings)
	s.await("what the first run has left", func(st control.Status) bool { return st.Persistence.Restore != nil && st.Persistence.Restore.Done == 1 })
}

// Rules in the settings file say what is kept, pcctl status what came of them.
// A wrong one is told, with its place, and those before it stay in force.
func TestRules(t *testing.T) {
	needRoot(t)
	m := mixture(t, 3000) // of 50 clients, every third packet to port 53
	settings, write := newSettings(t)
	write(`retain = ["x4 port 53", "x0 host 10.0.0.7"]`)
	s := startWithSettings(t, settings, "--ram-size", "8MiB", "--replay", m.path)
	st := s.awaitReplay()
	want := slices.DeleteFunc(slices.Clone(m.all), func(r record) bool {
		return r.data[26:30] == "\x0a\x00\x00\x07" && r.data[36:38] != "\x00\x35"
	})
	same(t, "dump", readFile(t, s.dump()), want, time.Microsecond)
	left := uint64(len(m.all) - len(want))
	if left == 0 || st.Totals.Refused["left out by a retain rule"] != left || st.Totals.Stored.Packets != uint64(len(want)) {
		t.Errorf("%d packets are left out: %+v", left, st.Totals)
	}
	shown, _, _ := s.pcctl("status")
	for _, line := range []string{
		`FILTER +FACTOR +SESSIONS +PACKETS +BYTES +FIRST 1 KiB`,
		`port 53 +x4 +50 +1,000 .* since the rule began, [23] s ago`,
		`host 10\.0\.0\.7 +x0 +1 +40 .* never stored`,
		`Lost +40 refused \(left out by a retain rule\)`,
		`settings +not recorded, by the setting retain: host 10\.0\.0\.7`,
	} {
		if !regexp.MustCompile(line).MatchString(shown) {
			t.Errorf("pcctl status does not show %q:\n%s", line, shown)
		}
	}
	write(`retain = ["x4 port 53", "x2 udp prot 80"]`)
	st = s.await("the wrong rule", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), `packetcache.toml:1: retain: `)
	})
	if words := `rule 2, filter "udp prot 80": position 5: `; !strings.Contains(strings.Join(st.Warnings, "\n"), words) || len(st.Retain) != 2 {
		t.Errorf("%d rules, and the warnings are %q, want %q", len(st.Retain), st.Warnings, words)
	}
	if got, _, _ := s.pcctl("config", "get", "retain"); got != "x4 port 53\nx0 host 10.0.0.7\n" {
		t.Errorf("in force are\n%s", got)
	}
	write(`retain = ["x0.5 port 53"]`)
	st = s.await("other rules", func(st control.Status) bool { return len(st.Retain) == 1 && len(st.Warnings) == 0 })
	if r := st.Retain[0]; r.Filter != "port 53" || r.Factor != 0.5 || r.Sessions != 50 {
		t.Errorf("%+v", r)
	}
	same(t, "dump with other rules", readFile(t, s.dump()), want, time.Microsecond)
}

// newSettings makes a directory for the place of /etc/packetcache, and returns what
// writes the settings there.
func newSettings(t testing.TB) (dir string, write func(text string)) {
	dir = t.TempDir()
	return dir, func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "packetcache.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// underSettings has a shell put a directory ($0) in the place of /etc/packetcache.
const underSettings = `mount -t tmpfs none /etc && mkdir /etc/packetcache && mount --bind "$0" /etc/packetcache && `

// startManaged starts the service at end a of a wire, with a directory in the place of
// /etc/packetcache, and lets it believe that systemd did.
func startManaged(t testing.TB, w wire, dir, settings string) *service {
	t.Helper()
	return attend(t, dir, w.a.command("unshare", "-m", "sh", "-c", underSettings+`SYSTEMD_EXEC_PID=$$ exec "$@"`, settings, program(t, "packetcache"),
		"--endpoint-dir", dir, "--data-dir", filepath.Join(dir, "data"), "--ram-size", "8MiB"))
}

// startWithSettings starts the service with a directory in the place of
// /etc/packetcache.
func startWithSettings(t testing.TB, settings string, args ...string) *service {
	t.Helper()
	dir := shortDir(t)
	args = append([]string{"-m", "sh", "-c", underSettings + `exec "$@"`, settings, program(t, "packetcache"), "--endpoint-dir", dir, "--data-dir", filepath.Join(dir, "data")}, args...)
	s := attend(t, dir, exec.Command(need(t, "unshare"), args...))
	s.await("an answer", func(control.Status) bool { return true })
	return s
}
