// Package service lets the daemon be run by a person or by the system's
// service manager (systemd, the Windows service control manager), and lets
// pcctl register it there, start it and stop it.
package service

import "context"

// A RunFunc is the daemon. It works until ctx is done, then ends what it is
// doing and returns. It calls ready when it captures and its endpoints answer,
// which a service manager takes as "started"; more calls do nothing.
type RunFunc func(ctx context.Context, ready func()) error
