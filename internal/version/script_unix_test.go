//go:build unix

package version

import (
	"os/exec"
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	out, err := exec.Command("../../scripts/version.sh").Output()
	if err != nil {
		t.Fatalf("scripts/version.sh: %v", err)
	}
	if v := strings.TrimSuffix(string(out), "\n"); !semver.MatchString(v) {
		t.Errorf("scripts/version.sh printed %q, not one semantic version", out)
	}
}
