package service

import (
	"os"
	"os/signal"
	"time"
)

// A listener is told how the daemon fares, if anybody wants to know. An error
// of ready stops the daemon.
type listener struct {
	ready    func() error
	stopping func()
}

// attend runs the daemon until it returns by itself or one of the signals
// comes; limit says how long it may take to stop after that. From then on
// signals have their usual effect: a second one ends the process at once.
func attend(c Config, run RunFunc, signals []os.Signal, limit func(os.Signal) time.Duration, l listener) error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, signals...)
	defer signal.Stop(told)

	w := begin(run)
	var failed error
	end := func(why string, limit time.Duration) {
		signal.Stop(told)
		l.stopping()
		w.end(why, limit)
	}
	ready := w.ready
	for {
		select {
		case <-ready:
			ready = nil // a nil channel is never ready
			w.started()
			if failed = l.ready(); failed != nil {
				end(failed.Error(), stopLimit)
			}
		case sig := <-told:
			end(sig.String(), limit(sig))
		case <-w.watchdog.C:
			return w.hung(c)
		case <-w.done:
			if err := w.outcome(); err != nil {
				return err
			}
			return failed
		}
	}
}
