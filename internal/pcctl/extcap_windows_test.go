package pcctl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExtcapScript runs the script as Wireshark does. The program lies in a folder with
// a blank and percent signs in its name.
func TestExtcapScript(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "100 %TEMP% sure")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "pcctl.exe")
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), extcapScriptName)
	if err := writeExtcapScript(script, extcapScript(program, "-suffix")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(script, "--extcap-interfaces").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "interface {value=packetcache}{display=PacketCache}") {
		t.Errorf("%v: %s", err, out)
	}
	out, err = exec.Command(script, "--extcap-interface", "packetcache", "--extcap-capture-filter", "tcp port x and (udp or icmp)").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no port is named") {
		t.Errorf("%v: %s", err, out)
	}
}
