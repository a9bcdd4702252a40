package service

import (
	"context"
	"sync/atomic"
	"time"
)

// stopLimit is how long a stop may take where nothing shorter holds. systemd
// kills after 30 s (TimeoutStopSec in the unit), Windows after the preshutdown
// timeout of 30 s that the service sets for itself.
const stopLimit = 20 * time.Second

// startLimit is how long a start may take. It takes well below a second, since
// nothing waits for the network or reads files; systemd kills after 90 s.
const startLimit = 60 * time.Second

// A stopRequest is the cause (context.Cause) with which a daemon is stopped.
type stopRequest struct {
	why      string
	deadline atomic.Int64 // Unix time in ns; a second request may bring it nearer
}

// Error implements error.
func (s *stopRequest) Error() string { return "told to stop: " + s.why }

// StopBy is when the daemon that runs with ctx has to have returned; after
// that the process is ended under it. The time may come nearer while it stops.
// It is 20 s from now as long as nobody has told it to stop.
func StopBy(ctx context.Context) time.Time {
	if s, ok := context.Cause(ctx).(*stopRequest); ok { //nolint:errorlint // it is the cause itself, never wrapped
		return time.Unix(0, s.deadline.Load())
	}
	return time.Now().Add(stopLimit)
}
