package crash

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// KeepMemory has the system write nothing of the memory of this process to the disk
// when it crashes: no core file, nor what a program makes of one (core(5)). It also
// keeps other processes of this user from looking into it (PR_SET_DUMPABLE in
// prctl(2)); root can.
func KeepMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("switching core files off (PR_SET_DUMPABLE): %w", err)
	}
	// Once more, for whoever looks at the limits. The unit has done so already, and
	// does not let the service change limits.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	return nil
}
