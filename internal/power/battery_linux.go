package power

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OnBattery reports whether the machine runs on a battery now; where that is not
// known, it does not.
func OnBattery() bool { return onBattery("/sys/class/power_supply") }

// onBattery looks at the supplies of power below a directory
// (Documentation/ABI/testing/sysfs-class-power in the kernel): whether a battery of
// the machine is being discharged, and nothing else gives power. Batteries of mice
// and the like are not the machine's.
func onBattery(root string) bool {
	supplies, err := os.ReadDir(root)
	if err != nil {
		return false
	}
	discharging := false
	for _, supply := range supplies {
		property := func(name string) string {
			text, _ := os.ReadFile(filepath.Join(root, supply.Name(), name))
			return strings.TrimSpace(string(text))
		}
		switch kind := property("type"); {
		case property("scope") == "Device":
		case kind == "Battery", kind == "UPS":
			discharging = discharging || property("status") == "Discharging"
		case slices.Contains([]string{"1", "2"}, property("online")): // 2: a voltage that is programmed
			return false
		}
	}
	return discharging
}
