package power

import (
	"testing"
	"unsafe"
)

func TestOnBattery(t *testing.T) {
	if size := unsafe.Sizeof(status{}); size != 12 {
		t.Errorf("SYSTEM_POWER_STATUS has %d bytes", size)
	}
	for name, test := range map[string]struct {
		status status
		want   bool
	}{
		"on mains":   {status{acLine: 1, battery: 8}, false},
		"unplugged":  {status{acLine: 0, battery: 1}, true},
		"not known":  {status{acLine: 255, battery: 255}, false},
		"no battery": {status{acLine: 0, battery: 128}, false},
	} {
		if got := onBattery(test.status); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	t.Logf("on battery: %v", OnBattery())
}
