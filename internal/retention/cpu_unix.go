//go:build unix

package retention

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime is what all threads of the process have spent so far.
func processTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // it cannot fail for oneself: getrusage(2)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
