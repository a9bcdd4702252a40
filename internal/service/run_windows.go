package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/windows/svc"
)

// Managed reports whether the service control manager started this process.
func Managed() bool {
	is, err := svc.IsWindowsService()
	return err == nil && is
}

// Run runs the daemon until it returns by itself or is told to stop: by Ctrl+C
// in a console, or by the service control manager if that started the process.
// Name is that of the service. The error is that of run, or says that the
// service control manager could not be reached.
func Run(name string, run RunFunc) error {
	is, err := svc.IsWindowsService()
	if err != nil {
		return fmt.Errorf("who started this process cannot be told: %w", err)
	}
	if !is {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		return run(ctx, func() {})
	}
	h := &handler{run: run}
	if err := svc.Run(name, h); err != nil {
		return fmt.Errorf("service control manager: %w", err)
	}
	return h.err
}

// A handler is what the service control manager talks to. The manager of
// kardianos/service is not used here: it does not notice a service that fails
// after its start.
type handler struct {
	run RunFunc
	err error
}

// waitHint is how long the manager may wait for the next sign of life while
// the service starts or stops.
const waitHint = 30 * time.Second

// Execute implements svc.Handler. It returns when the daemon has returned.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (bool, uint32) {
	const failed = 1 // the service's own exit code; the reason is in its log
	pending := func(state svc.State) svc.Status {
		return svc.Status{State: state, WaitHint: uint32(waitHint.Milliseconds())}
	}
	changes <- pending(svc.StartPending)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var once sync.Once
	started, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.run(ctx, func() { once.Do(func() { close(started) }) }) }()

	stopping := false
	for {
		select {
		case <-started:
			started = nil // a nil channel is never ready
			if !stopping {
				changes <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
			}
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				changes <- request.CurrentStatus
			case svc.Stop, svc.Shutdown:
				stopping = true
				changes <- pending(svc.StopPending)
				cancel()
			}
		case h.err = <-done:
			if h.err != nil {
				return true, failed
			}
			return false, 0
		}
	}
}
