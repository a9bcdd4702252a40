package retention

import (
	"time"

	"golang.org/x/sys/windows"
)

// processTime is what all threads of the process have spent so far, in steps of
// a timer tick, which even out over a replay.
func processTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0 // it cannot fail for oneself
	}
	return ticks(kernel) + ticks(user)
}

// ticks are 100 ns each.
func ticks(f windows.Filetime) time.Duration {
	return time.Duration(uint64(f.HighDateTime)<<32|uint64(f.LowDateTime)) * 100
}
