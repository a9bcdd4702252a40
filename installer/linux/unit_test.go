package linux

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// analyze finds systemd-analyze, which the promises about the unit are
// measured with. CI has to have it.
func analyze(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS == "linux" {
			t.Fatalf("systemd-analyze is missing: %v", err)
		}
		t.Skipf("systemd-analyze is not installed: %v", err)
	}
	return path
}

func TestExposure(t *testing.T) {
	// The threshold is in tenths: an exposure of 2.5 at most.
	out, err := exec.Command(analyze(t), "security", "--offline=true", "--no-pager", "--threshold=25", "packetcache.service").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Overall exposure level") {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// systemd knows every line of the unit.
func TestVerify(t *testing.T) {
	program := analyze(t)
	path := filepath.Join(t.TempDir(), "packetcache.service")
	text := strings.Replace(Unit, "ExecStart=/usr/bin/packetcache\n", "ExecStart="+program+"\n", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "verify", "--no-pager", path).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "packetcache.service") {
			t.Error(line)
		}
	}
}

// What the documentation promises of the unit, word by word.
func TestPromises(t *testing.T) {
	for _, line := range []string{
		"CapabilityBoundingSet=CAP_NET_RAW CAP_IPC_LOCK",
		"NoNewPrivileges=yes",
		"ProtectSystem=strict",
		"RuntimeDirectory=packetcache",
		"StateDirectory=packetcache",
		"StateDirectoryMode=0700",
		"LoadCredentialEncrypted=packetcache.key",
		"LimitCORE=0",
		"LimitMEMLOCK=infinity",
		"TimeoutStopSec=30",
		"Type=notify",
	} {
		if strings.Count(Unit, "\n"+line+"\n") != 1 {
			t.Errorf("the unit lacks %s, or has it twice", line)
		}
	}
	for _, setting := range []string{"PrivateNetwork=", "PrivateUsers=", "NetworkNamespacePath="} {
		if strings.Contains(Unit, setting) {
			t.Errorf("with %s the service would not see the machine's interfaces", setting)
		}
	}
}
