package power

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// status is SYSTEM_POWER_STATUS.
type status struct {
	acLine, battery, percent, system uint8
	lifeTime, fullLifeTime           uint32
}

// OnBattery reports whether the machine runs on a battery now; where that is not
// known, it does not ("GetSystemPowerStatus function" on learn.microsoft.com).
func OnBattery() bool {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	if call.Find() != nil {
		return false
	}
	var s status
	ok, _, _ := call.Call(uintptr(unsafe.Pointer(&s)))
	return ok != 0 && onBattery(s)
}

func onBattery(s status) bool {
	const (
		offline   = 0 // of the line; 1: online, 255: not known
		noBattery = 128
	)
	return s.acLine == offline && s.battery != noBattery
}
