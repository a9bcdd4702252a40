package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/packetcache/packetcache/eventlog"
)

// ErrHung means that the daemon was not ready in time, or did not return in time
// after it was told to. It is still at work, and whatever it holds, such as the
// log, may not answer: the process had better end at once.
var ErrHung = errors.New("the service was ended; the log says what it was doing")

// A work is the daemon while it runs. Only one goroutine stops it and waits
// for it.
type work struct {
	cancel context.CancelCauseFunc
	stop   stopRequest
	// watchdog runs out when the daemon has not started by its deadline, or has
	// not ended past that.
	watchdog *time.Timer
	ready    chan struct{} // closed when the daemon is ready
	done     chan struct{} // closed when it has returned
	err      error         // what it returned; valid then
}

// begin starts the daemon.
func begin(run RunFunc) *work {
	ctx, cancel := context.WithCancelCause(context.Background())
	w := &work{
		cancel:   cancel,
		watchdog: time.NewTimer(startLimit),
		ready:    make(chan struct{}),
		done:     make(chan struct{}),
	}
	go func() {
		defer close(w.done)
		defer cancel(nil)
		w.err = run(ctx, sync.OnceFunc(func() { close(w.ready) }))
	}()
	return w
}

// started ends the watch over the start; a stop that has been told goes on being
// watched.
func (w *work) started() {
	if !w.told() {
		w.watchdog.Stop()
	}
}

// told reports whether the daemon was told to stop.
func (w *work) told() bool { return w.stop.deadline.Load() != 0 }

// end tells the daemon to stop, within limit. A second call can only hurry it.
func (w *work) end(why string, limit time.Duration) {
	deadline := time.Now().Add(limit)
	if told := w.stop.deadline.Load(); told != 0 && told <= deadline.UnixNano() {
		return
	}
	if w.stop.why == "" {
		w.stop.why = why
	}
	w.stop.deadline.Store(deadline.UnixNano())
	// A daemon that uses its time to the end is not hung.
	w.watchdog.Reset(limit + limit/8)
	w.cancel(&w.stop)
}

// outcome is the error of a daemon that has returned.
func (w *work) outcome() error {
	<-w.done
	return w.err
}

// hung tells the log what all goroutines of the process are doing, and makes
// the error of it.
func (w *work) hung(c Config) error {
	if !w.told() {
		logGoroutines(c.Log, eventlog.StartOverdue(startLimit))
		return fmt.Errorf("not started within %v: %w", startLimit, ErrHung)
	}
	logGoroutines(c.Log, eventlog.StopOverdue(w.stop.why))
	return fmt.Errorf("not stopped in time (%s): %w", w.stop.why, ErrHung)
}
