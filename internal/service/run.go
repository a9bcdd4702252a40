// Package service lets the daemon be run by a person or by the system's
// service manager (systemd, the Windows service control manager), and lets
// pcctl register it there, start it and stop it.
package service

import (
	"context"

	"github.com/sirupsen/logrus"
)

// A RunFunc is the daemon. It works until ctx is done, then ends what it is
// doing and returns; StopBy says by when. It calls ready when it captures and
// its endpoints answer, which a service manager takes as "started"; more calls
// do nothing.
type RunFunc func(ctx context.Context, ready func()) error

// Config says how Run runs the daemon.
type Config struct {
	// Name is that of the service for the Windows service control manager.
	Name string
	// Log is told what happens around the daemon: a stop that hangs, for one.
	Log *logrus.Logger
	// ExitCode chooses the code that the Windows service control manager
	// shows for an error of the daemon.
	ExitCode func(error) ExitCode
}
