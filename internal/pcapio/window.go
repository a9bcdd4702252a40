package pcapio

import (
	"errors"
	"io"
)

const (
	// windowSize bounds what a Reader holds of a file, and so the largest
	// block that it looks into: 256 KiB of packet and as much again of options.
	windowSize = 1 << 20
	// firstWindow is enough for the header, so that a file can be opened and
	// checked long before it is read without holding a full window. Then the
	// window grows in steps, as long as the stream fills it.
	firstWindow  = 4 << 10
	windowGrowth = 16
)

// errHeld says that the bytes asked for are not in the window and that the
// window must not move, because packets in it are on loan.
var errHeld = errors.New("beyond the window")

// A window is the part of a stream that is in memory. Unlike bufio.Reader it
// promises that what was peeked at stays where it is while held is set.
type window struct {
	src        io.Reader
	buf        []byte
	start, end int   // buf[start:end] was read and not yet taken
	offset     int64 // of buf[start] in the stream
	held       bool
	err        error // what src said last, nil while it delivers
}

// buffered returns how many bytes can be had without reading.
func (w *window) buffered() int { return w.end - w.start }

// peek returns the next n bytes, at most windowSize, without taking them. At
// the end of the stream the error is io.EOF if there are none at all and
// io.ErrUnexpectedEOF if there are fewer.
func (w *window) peek(n int) ([]byte, error) {
	if w.end-w.start < n {
		if err := w.fill(n); err != nil {
			return nil, err
		}
	}
	return w.buf[w.start : w.start+n : w.start+n], nil
}

// take moves past n bytes that peek has shown.
func (w *window) take(n int) {
	w.start += n
	w.offset += int64(n)
}

// skip moves past n bytes that may lie beyond the window. It returns how many
// it passed; fewer than n comes with an error as from peek.
func (w *window) skip(n int64) (int64, error) {
	passed := int64(0)
	for passed < n {
		if w.buffered() == 0 {
			if err := w.fill(1); err != nil {
				return passed, err
			}
		}
		step := min(int64(w.buffered()), n-passed)
		w.take(int(step))
		passed += step
	}
	return passed, nil
}

// fill reads until at least n bytes are buffered.
func (w *window) fill(n int) error {
	if w.held {
		return errHeld
	}
	size := max(len(w.buf), firstWindow)
	if w.end == len(w.buf) && w.buf != nil {
		size *= windowGrowth
	}
	for size < n {
		size *= windowGrowth
	}
	buf := w.buf
	if size = min(size, windowSize); size > len(buf) {
		buf = make([]byte, size)
	}
	w.end = copy(buf, w.buf[w.start:w.end])
	w.start, w.buf = 0, buf
	for idle := 0; w.end < n && w.err == nil; {
		got, err := w.src.Read(w.buf[w.end:])
		w.end += got
		w.err = err
		if got > 0 || err != nil {
			idle = 0
		} else if idle++; idle == 100 {
			w.err = io.ErrNoProgress
		}
	}
	switch {
	case w.end >= n:
		return nil
	case errors.Is(w.err, io.EOF) && w.end > 0:
		return io.ErrUnexpectedEOF
	}
	return w.err
}
