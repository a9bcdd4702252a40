package daemon

import (
	"errors"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/packet"
)

func TestCaptureFilter(t *testing.T) {
	if f, err := captureFilter(""); err != nil || f.Text != "" || f.Compile != nil {
		t.Errorf("no filter: %+v, %v", f, err)
	}
	f, err := captureFilter("not udp port 53")
	if err != nil || f.Text != "not udp port 53" {
		t.Fatalf("%+v, %v", f, err)
	}
	program, err := f.Compile(packet.LinkTypeEthernet)
	if err != nil || len(program.Instructions) == 0 {
		t.Fatalf("%+v, %v", program, err)
	}
	dns := []byte(strings.Repeat("\x00", 12) + "\x08\x00\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x12\x34\x00\x35\x00\x08\x00\x00")
	if program.Match(dns, uint32(len(dns))) {
		t.Error("DNS passes the filter")
	}
	dns[37] = 54
	if !program.Match(dns, uint32(len(dns))) {
		t.Error("what is not DNS does not pass the filter")
	}
	for _, bad := range []string{"udp prot 53", "(", "wlan type mgt and"} {
		if _, err := captureFilter(bad); err == nil || !strings.Contains(err.Error(), bad) || CheckFilter(bad) == nil {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A client hears where its filter is wrong.
func TestBadFilter(t *testing.T) {
	for expression, position := range map[string]int{"udp prot 53": 4, "port 53 or": 10} {
		_, err := dump.ParseFilter(expression)
		if err == nil {
			t.Fatalf("%q is taken", expression)
		}
		if p := control.FilterProblem(err); p.Status != 400 || p.Position == nil || *p.Position != position {
			t.Errorf("%q: %+v, want position %d", expression, p, position)
		}
	}
	if p := control.FilterProblem(errors.New("too odd")); p.Position != nil || !strings.Contains(p.Message, "too odd") {
		t.Errorf("an error without a place: %+v", p)
	}
}
