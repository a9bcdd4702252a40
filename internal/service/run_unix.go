//go:build unix

package service

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// Managed reports whether systemd started this process as a service.
func Managed() bool {
	return os.Getenv("NOTIFY_SOCKET") != "" || os.Getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid())
}

// Run runs the daemon until it returns by itself or is told to stop: by Ctrl+C,
// SIGTERM (systemctl stop), or a terminal that closes. A second such signal
// ends the process at once. If systemd asks for it, it is told when the daemon
// is ready and when it is stopping (sd_notify(3)). The error is that of run,
// or says that systemd could not be told, or is ErrHung.
func Run(c Config, run RunFunc) error {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) does
		signals = append(signals, syscall.SIGHUP)
	}
	socket := os.Getenv("NOTIFY_SOCKET")
	return attend(c, run, signals, func(os.Signal) time.Duration { return stopLimit }, listener{
		ready: func() error {
			if err := notify(socket, "READY=1"); err != nil {
				// systemd would wait for the word and then kill: better to
				// stop in order and say why.
				return fmt.Errorf("systemd cannot be told that the service is ready: %w", err)
			}
			return nil
		},
		// Too late to matter if it fails: systemd sees the process end.
		stopping: func() { _ = notify(socket, "STOPPING=1") },
	})
}
