//go:build unix

package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

// Managed reports whether systemd started this process as a service.
func Managed() bool {
	return os.Getenv("NOTIFY_SOCKET") != "" || os.Getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid())
}

// Run runs the daemon until it returns by itself or is told to stop: by Ctrl+C,
// SIGTERM (systemctl stop), or a terminal that closes. A second such signal
// ends the process at once. If systemd asks for it, it is told when the daemon
// is ready and when it is stopping (sd_notify(3)). The error is that of run,
// or says that systemd could not be told.
func Run(_ string, run RunFunc) error {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) does
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	return runNotifying(ctx, stop, os.Getenv("NOTIFY_SOCKET"), run)
}

func runNotifying(ctx context.Context, stop func(), socket string, run RunFunc) error {
	var once sync.Once
	var notifyErr error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := func() {
		once.Do(func() {
			if err := notify(socket, "READY=1"); err != nil {
				// systemd would wait for the word and then kill: better to
				// stop in order and say why.
				notifyErr = fmt.Errorf("systemd cannot be told that the service is ready: %w", err)
				cancel()
			}
		})
	}
	// AfterFunc runs once the first signal has come; from then on the next
	// one has its default effect.
	release := context.AfterFunc(ctx, func() {
		stop()
		// Too late to matter if it fails: systemd sees the process end.
		_ = notify(socket, "STOPPING=1")
	})
	defer release()
	if err := run(ctx, ready); err != nil {
		return err
	}
	once.Do(func() {}) // ready is not running any more, notifyErr may be read
	return notifyErr
}
