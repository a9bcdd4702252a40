package persist

import (
	"io"
	"time"
)

const (
	// A window is how many bytes are written before they are forced to the disk.
	// It begins small, since nobody knows how fast the disk is, and grows as long
	// as the disk takes less than quickFlush for it.
	firstWindow = 512 << 10
	lastWindow  = 64 << 20
	quickFlush  = 100 * time.Millisecond
	// closing is what the end of a file takes beside its bytes: names, and the
	// journal of the file system.
	closing = 100 * time.Millisecond
)

// A syncer is a file whose bytes can be forced to the disk.
type syncer interface {
	io.Writer
	Sync() error
}

// A flusher writes a file so that at no time more of it waits for the disk than
// the disk takes soon, and knows how long that would be. While a window is forced
// to the disk, the next one is filled.
type flusher struct {
	file   syncer
	window int
	// filled bytes were written and are not on their way to the disk; flying
	// bytes are, and landed tells of them.
	filled, flying int
	landed         chan landing
	rate           float64       // of the disk, bytes a second; 0: not known
	slowest        time.Duration // that a window took
	written        int64
	err            error // the first one; it stays
}

// A landing is the end of a flush.
type landing struct {
	err  error
	took time.Duration
}

func newFlusher(file syncer) *flusher {
	return &flusher{file: file, window: firstWindow, landed: make(chan landing, 1)}
}

// Write implements io.Writer.
func (f *flusher) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.file.Write(p)
	f.filled += n
	f.written += int64(n)
	if f.err = err; err == nil && f.filled >= f.window {
		f.flush()
	}
	return n, f.err
}

// flush forces what was written to the disk, without waiting for that. It waits
// for the flush before.
func (f *flusher) flush() {
	if f.land(); f.err != nil || f.filled == 0 {
		return
	}
	f.flying, f.filled = f.filled, 0
	go func() {
		begun := time.Now()
		err := f.file.Sync()
		f.landed <- landing{err, time.Since(begun)}
	}()
}

// land waits for the flush under way.
func (f *flusher) land() {
	if f.flying == 0 {
		return
	}
	l := <-f.landed
	rate := float64(f.flying) / max(l.took, time.Microsecond).Seconds()
	if f.rate == 0 {
		f.rate = rate
	}
	f.rate = (3*f.rate + rate) / 4
	f.slowest = max(f.slowest, l.took)
	if l.took < quickFlush && f.flying >= f.window {
		f.window = min(2*f.window, lastWindow)
	}
	f.flying = 0
	if f.err == nil {
		f.err = l.err
	}
}

// finish returns when all is on the disk.
func (f *flusher) finish() error {
	f.flush()
	f.land()
	return f.err
}

// reserve is how long it would take, by what was seen of the disk and with as much
// again to spare, to end the file after so many more bytes.
func (f *flusher) reserve(more int) time.Duration {
	waiting := float64(f.filled + f.flying + more)
	reserve := closing
	if f.rate > 0 {
		reserve += time.Duration(2 * waiting / f.rate * float64(time.Second))
	}
	return max(reserve, 2*f.slowest)
}
