package pcctl

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// notifyContext ends when the user or the system wants the command to end. The
// second signal has its usual effect, for a command stuck in a write.
func notifyContext(parent context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	// nohup must stay in force.
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(parent, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
