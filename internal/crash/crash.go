// Package crash keeps what the Go runtime prints when a Windows service crashes.
// It prints to standard error, which a service does not have; under systemd that
// is the journal.
package crash

import "time"

// A Report is what is known of a crash.
type Report struct {
	Time  time.Time // when it was printed
	Path  string    // of the file with all of it
	Trace string    // what was printed, at most 256 KiB
}
