package pcctl

import (
	"fmt"
	"io"
	"time"
)

// A waiting shows on a terminal how long a command has waited for the service,
// and nothing elsewhere.
type waiting struct {
	w       io.Writer
	command string
	shown   bool
}

func newWaiting(w io.Writer, command string) *waiting {
	if _, ok := terminalOf(w); !ok {
		w = nil
	}
	return &waiting{w: w, command: command}
}

func (p *waiting) show(waited time.Duration) {
	if p.w != nil {
		p.shown = true
		fmt.Fprintf(p.w, "\r%s: waiting for the service, %.0f s", p.command, waited.Seconds())
	}
}

// finish takes the line away.
func (p *waiting) finish() {
	if p.shown {
		fmt.Fprintf(p.w, "\r%*s\r", len(p.command)+40, "")
	}
}
