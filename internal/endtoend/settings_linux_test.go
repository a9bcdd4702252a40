package endtoend

import (
	"strings"
	"testing"
)

// A wrong setting that would let in what it was to keep out is told once, and
// why nothing starts; one that does no harm is told and ignored.
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
		"capture-filter = ": 1, "the service does not start": 1, "bias = 99": 1, "the value is ignored": 1,
	} {
		if got := strings.Count(stderr, words); got != times {
			t.Errorf("%q stands there %d times, want %d:\n%s", words, got, times, stderr)
		}
	}
}
