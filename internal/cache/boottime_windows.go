package cache

import "golang.org/x/sys/windows"

var getTickCount64 = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetTickCount64")

// BootTime counts from boot, sleep and hibernation included, in steps of 10
// to 16 ms (learn.microsoft.com, "GetTickCount64 function").
func BootTime() int64 {
	ms, _, _ := getTickCount64.Call()
	return int64(ms) * 1e6
}
