package cache

import "golang.org/x/sys/unix"

// BootTime is CLOCK_BOOTTIME: monotonic, counting sleep (clock_gettime(2)).
func BootTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("reading CLOCK_BOOTTIME: " + err.Error()) // there since Linux 2.6.39
	}
	return ts.Nano()
}
