package pcapio

import (
	"errors"
	"fmt"
	"io"
)

// A FormatError says that a file is not, or from some byte on no longer, a
// capture file. errors.Is(err, io.ErrUnexpectedEOF) tells a file that was cut
// short from one that is damaged.
type FormatError struct {
	// Offset is where the header, record or block that could not be read
	// begins, in bytes from the start of the file. The file up to there is
	// sound: cut at Offset, it reads to a clean end.
	Offset int64
	// Reason is what is wrong with it.
	Reason string
	// Err is io.ErrUnexpectedEOF if the file ends too early, else nil.
	Err error
}

// Error gives the offset and the reason in one sentence.
func (e *FormatError) Error() string {
	return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason)
}

// Unwrap returns Err.
func (e *FormatError) Unwrap() error { return e.Err }

func badf(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// incomplete turns what a window said about want bytes at offset into the
// error that a reader of the file sees. Faults of the medium stay what they
// are; errHeld passes through to Batch.
func incomplete(offset int64, what string, want int64, got int64, err error) error {
	switch {
	case errors.Is(err, errHeld):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &FormatError{
			Offset: offset,
			Reason: fmt.Sprintf("%s is cut short: the file ends after %d of its %d bytes", what, got, want),
			Err:    io.ErrUnexpectedEOF,
		}
	}
	return fmt.Errorf("byte %d: cannot read %s: %w", offset, what, err)
}
