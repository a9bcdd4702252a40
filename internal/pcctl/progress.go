package pcctl

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// barDelay keeps the bar away from dumps that are done before one could read
// it.
const barDelay = 300 * time.Millisecond

// A progress shows on a terminal how far a dump is, and nothing elsewhere.
type progress struct {
	w     io.Writer
	begun time.Time
	what  string
	bar   *progressbar.ProgressBar
}

func newProgress(w io.Writer, what string) *progress {
	if _, ok := terminalOf(w); !ok {
		w = nil
	}
	return &progress{w: w, begun: time.Now(), what: what}
}

// set moves the bar. The estimate is one: when it is passed, the bar turns
// into a counter.
func (p *progress) set(done, estimate int64) {
	if p.w == nil || p.bar == nil && time.Since(p.begun) < barDelay {
		return
	}
	if p.bar == nil {
		p.bar = newBar(p.w, p.what, estimate)
	}
	if done > p.bar.GetMax64() && p.bar.GetMax64() > 0 {
		p.bar.ChangeMax64(-1)
	}
	_ = p.bar.Set64(done)
}

func newBar(w io.Writer, what string, estimate int64) *progressbar.ProgressBar {
	if estimate <= 0 {
		estimate = -1
	}
	return progressbar.NewOptions64(estimate,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionSpinnerType(9),
		progressbar.OptionClearOnFinish(),
	)
}

// finish takes the bar away.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
