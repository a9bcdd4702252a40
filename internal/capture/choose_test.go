package capture

import (
	"slices"
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"eth0", "eth0", true},
		{"eth0", "eth01", false},
		{"eth*", "eth0", true},
		{"eth?", "eth10", false},
		{"eth[01]", "eth1", true},
		{"eth[0]", "eth[0]", true}, // a name with brackets, letter for letter
		{"eth[0]", "eth0", true},
		{"eth[", "eth[", true}, // no pattern at all
		{"eth[", "eth", false},
		{"Ethernet, 2", "Ethernet, 2", true},
		{"Ethernet, 2", "Ethernet", false},
		{"Local Area Connection* 1", "Local Area Connection* 1", true},
		{`\Device\NPF_{1}`, `\Device\NPF_{1}`, true},
		{"*", "", true},
		{"", "eth0", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestChoose(t *testing.T) {
	lo := eth("lo", 1)
	lo.Aside = "loopback"
	ifb := eth("ifb0", 9)
	ifb.Aside = "copies"
	machine := []Link{
		lo, eth("eth0", 2), eth("eth1", 3), eth("bond0", 4, 2, 3), eth("bond0.7", 5, 4),
		eth("br0", 6, 5, 7), eth("veth0", 7), eth("wg0", 8), ifb, eth("br1", 10),
	}
	for _, c := range []struct {
		name             string
		include, exclude string // separated by blanks
		captured         string
		covered          string // name=coverer+coverer
	}{
		{"all", "", "", "eth0 eth1 veth0 wg0 br1", "bond0=eth0+eth1 bond0.7=eth0+eth1 br0=eth0+eth1+veth0"},
		{"star", "*", "", "eth0 eth1 veth0 wg0 br1", "bond0=eth0+eth1 bond0.7=eth0+eth1 br0=eth0+eth1+veth0"},
		{"only the upper", "br0", "", "br0", ""},
		{"the middle covers the top", "b*", "", "bond0 br1", "bond0.7=bond0 br0=bond0"},
		{"members excluded", "", "eth* veth*", "bond0 wg0 br1", "bond0.7=bond0 br0=bond0"},
		{"one member excluded", "", "eth1", "eth0 veth0 wg0 br1", "bond0=eth0 bond0.7=eth0 br0=eth0+veth0"},
		{"exclude wins", "eth0", "eth0", "", ""},
		{"loopback by name", "lo eth0", "", "lo eth0", ""},
		{"loopback not by pattern", "l* i*", "", "", ""},
		{"copies by name", "ifb0", "", "ifb0", ""},
		{"nothing there", "eth7", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := selection{include: strings.Fields(c.include), exclude: strings.Fields(c.exclude)}
			var captured, covered []string
			for _, ch := range s.choose(machine) {
				switch ch.state {
				case StateCapturing:
					captured = append(captured, ch.link.Name)
				case StateCovered:
					covered = append(covered, ch.link.Name+"="+strings.Join(ch.coveredBy, "+"))
				case StateExcluded:
					if ch.reason == "" {
						t.Errorf("%s is excluded without a reason", ch.link.Name)
					}
				}
			}
			if got := strings.Join(captured, " "); got != c.captured {
				t.Errorf("captured %q, want %q", got, c.captured)
			}
			if got := strings.Join(covered, " "); got != c.covered {
				t.Errorf("covered %q, want %q", got, c.covered)
			}
		})
	}
}

// Links that claim to stand on each other must not send choose round in circles.
func TestChooseSurvivesCircles(t *testing.T) {
	s := selection{}
	choices := s.choose([]Link{eth("a", 1, 2), eth("b", 2, 1), eth("c", 3, 3), eth("d", 4, 99)})
	for _, c := range choices[2:] {
		if c.state != StateCapturing {
			t.Errorf("%s is %s", c.link.Name, c.state)
		}
	}
}

func TestMissing(t *testing.T) {
	s := selection{include: []string{"eth0", "eth9", "wlan*", "usb[", "eth9", "Ethernet, 2"}}
	got := s.missing([]Link{eth("eth0", 1)})
	if want := []string{"eth9", "usb[", "Ethernet, 2"}; !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
}
