//go:build unix

package pcctl

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden is what pcctl must not link, and why.
var forbidden = map[string]string{
	"github.com/packetcache/packetcache/internal/capture": "pcctl must run where nothing can be captured",
	"github.com/packetcache/packetcache/internal/cache":   "pcctl reaches packets only through the service",
	"github.com/packetcache/packetcache/internal/daemon":  "pcctl is not the service",
	"github.com/packetcache/packetcache/internal/dump":    "dumps are made by the service",
	"github.com/google/gopacket":                          "gopacket/pcap loads wpcap.dll and changes the DLL search path in init",
}

func TestForbiddenImports(t *testing.T) {
	for _, system := range []string{"linux", "windows"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../cmd/pcctl")
		cmd.Env = append(cmd.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 50 {
			t.Fatalf("%s: only %d packages listed", system, len(deps))
		}
		for _, dep := range deps {
			for pkg, why := range forbidden {
				if dep == pkg || strings.HasPrefix(dep, pkg+"/") {
					t.Errorf("%s: pcctl links %s: %s", system, dep, why)
				}
			}
		}
	}
}
