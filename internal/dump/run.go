package dump

// A run is the packets of one instant at the end of what has been added: where they
// begin, and what the result was before. A dump with a limit ends between two instants
// if it can, so that the next one can begin where it ended.
type run struct {
	at      int // where in the buffer it begins; -1 if that has been handed over
	packets uint64
	last    int64
}

// runOf notes where a packet of that time begins, unless it belongs to the run.
func (f *file) runOf(time int64) {
	if f.result.Packets == 0 || time != f.result.Last {
		f.run = run{len(f.buf), f.result.Packets, f.result.Last}
	}
}

// keepRun takes the run out of what is handed over, to be put in front of the next
// buffer. One that fills a buffer is not kept.
func (f *file) keepRun() (kept []byte) {
	if f.req.Limit == 0 || f.run.at <= 0 {
		f.run.at = -1
		return nil
	}
	kept = append(f.held[:0], f.buf[f.run.at:]...)
	f.held, f.buf, f.run.at = kept, f.buf[:f.run.at], 0
	return kept
}

// reachLimit ends the dump in front of a packet of that time. What it has of the same
// instant it gives back, unless it would be left with nothing.
func (f *file) reachLimit(time int64) {
	f.result.LimitReached, f.result.Next = true, time
	if f.result.Packets > 0 && time == f.result.Last && f.run.at >= 0 && f.run.packets > 0 {
		f.buf = f.buf[:f.run.at]
		f.result.Packets, f.result.Last = f.run.packets, f.run.last
	}
}
