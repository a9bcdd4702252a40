package filter

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// fields returns the words of each line of a file of the system, without
// comments; the test is skipped if there is no such file.
func fields(t *testing.T, name string) [][]string {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("nothing to compare with: %v", err)
	}
	var lines [][]string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 1 {
			lines = append(lines, f)
		}
	}
	return lines
}

// TestServicesAgree compares with /etc/services, of which the first line with
// a name counts, as for tcpdump.
func TestServicesAgree(t *testing.T) {
	type key struct{ name, proto string }
	system := map[key]uint16{}
	for _, f := range fields(t, "/etc/services") {
		number, proto, _ := strings.Cut(f[1], "/")
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(f[:1:1], f[2:]...) {
			if _, ok := system[key{name, proto}]; !ok {
				system[key{name, proto}] = uint16(port)
			}
		}
	}
	compared := 0
	for k, port := range system {
		s, ok := lookupService(k.name)
		if !ok || k.proto != "tcp" && k.proto != "udp" {
			continue
		}
		compared++
		if has := k.proto == "tcp" && s.tcp || k.proto == "udp" && s.udp; !has || s.port != port {
			t.Errorf("%s is %d/%s in /etc/services, but %+v here", k.name, port, k.proto, s)
		}
	}
	t.Logf("%d names agree", compared)
}

// TestProtocolsAgree compares with /etc/protocols.
func TestProtocolsAgree(t *testing.T) {
	for _, f := range fields(t, "/etc/protocols") {
		number, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(f[:1:1], f[2:]...) {
			if v, ok := ipProtocols[name]; ok && uint64(v) != number {
				t.Errorf("%s is %d in /etc/protocols, but %d here", name, number, v)
			}
		}
	}
}
