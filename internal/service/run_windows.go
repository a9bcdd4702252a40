package service

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// hurryLimit is how long a stop may take where Windows allows 5 s: at its
// shutdown (WaitToKillServiceTimeout) and when a console window is closed
// (learn.microsoft.com, "HandlerRoutine callback function").
const hurryLimit = 4 * time.Second

// Managed reports whether the service control manager started this process.
func Managed() bool {
	is, err := svc.IsWindowsService()
	return err == nil && is || startedByServices()
}

// Run runs the daemon until it returns by itself or is told to stop: by the
// service control manager if that started the process, and else by Ctrl+C,
// Ctrl+Break or the end of the console or the session. A second Ctrl+C ends
// the process at once. The error is that of run, or says that the service
// control manager could not be reached, or is ErrHung.
func Run(c Config, run RunFunc) error {
	if !Managed() {
		return attend(c, run, []os.Signal{os.Interrupt, syscall.SIGTERM}, consoleLimit,
			listener{ready: func() error { return nil }, stopping: func() {}})
	}
	h, err := newHandler(c, run)
	if err != nil {
		return err
	}
	if err := svc.Run(c.Name, h); err != nil {
		if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
			return fmt.Errorf("the service control manager did not start this process as a service: %w", err)
		}
		return fmt.Errorf("service control manager: %w", err)
	}
	return h.err
}

// consoleLimit is how long stopping may take after a signal. Package os/signal
// gives Ctrl+C and Ctrl+Break as interrupts, and the close of the console, the
// logoff and the shutdown as SIGTERM.
func consoleLimit(sig os.Signal) time.Duration {
	if sig == syscall.SIGTERM {
		return hurryLimit
	}
	return stopLimit
}
