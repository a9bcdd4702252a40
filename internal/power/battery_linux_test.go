package power

import (
	"os"
	"path/filepath"
	"testing"
)

// Supplies as machines have them, "name property=value property=value".
func TestOnBattery(t *testing.T) {
	type supply map[string]string
	ac := func(online string) supply { return supply{"type": "Mains", "online": online} }
	battery := func(status string) supply { return supply{"type": "Battery", "scope": "System", "status": status} }
	for name, test := range map[string]struct {
		supplies map[string]supply
		want     bool
	}{
		"nothing":               {nil, false},
		"a desktop":             {map[string]supply{"AC": ac("1")}, false},
		"a laptop on mains":     {map[string]supply{"AC": ac("1"), "BAT0": battery("Charging")}, false},
		"and full":              {map[string]supply{"AC": ac("1"), "BAT0": battery("Not charging")}, false},
		"a laptop unplugged":    {map[string]supply{"AC": ac("0"), "BAT0": battery("Discharging")}, true},
		"two batteries":         {map[string]supply{"AC": ac("0"), "BAT0": battery("Full"), "BAT1": battery("Discharging")}, true},
		"a battery alone":       {map[string]supply{"BAT0": {"type": "Battery", "status": "Discharging"}}, true},
		"a weak supply":         {map[string]supply{"ucsi0": {"type": "USB", "online": "1"}, "BAT0": battery("Discharging")}, false},
		"a supply by PPS":       {map[string]supply{"ucsi0": {"type": "USB", "online": "2"}, "BAT0": battery("Discharging")}, false},
		"a mouse":               {map[string]supply{"hid-1": {"type": "Battery", "scope": "Device", "status": "Discharging"}}, false},
		"a wireless headset":    {map[string]supply{"AC": ac("0"), "BAT0": battery("Discharging"), "x": {"type": "USB", "scope": "Device", "online": "1"}}, true},
		"a UPS":                 {map[string]supply{"ups": {"type": "UPS", "status": "Discharging"}}, true},
		"a status that is none": {map[string]supply{"AC": ac("?"), "BAT0": battery("")}, false},
		"no properties":         {map[string]supply{"BAT0": {}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for name, properties := range test.supplies {
				dir := filepath.Join(root, name)
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				for property, value := range properties {
					if err := os.WriteFile(filepath.Join(dir, property), []byte(value+"\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := onBattery(root); got != test.want {
				t.Errorf("on battery: %v", got)
			}
		})
	}
	if onBattery(filepath.Join(t.TempDir(), "nothing")) {
		t.Error("on battery without any supplies")
	}
}
