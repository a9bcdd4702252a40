// Package crash is about crashes of the service: it keeps the memory of the process
// out of what the system writes to the disk then, and on Windows keeps what the Go
// runtime prints. It prints to standard error, which a service does not have there;
// under systemd that is the journal.
package crash

import "time"

// The files that a service leaves in its directory.
const (
	// Running is where the runtime prints; a service that runs has it open, one
	// that ends in order removes it.
	Running = "crash-now.txt"
	// Last is what was printed at the last crash.
	Last = "crash.txt"
)

// A Report is what is known of a crash.
type Report struct {
	Time  time.Time // when it was printed
	Path  string    // of the file with all of it
	Trace string    // what was printed, at most 256 KiB
}
