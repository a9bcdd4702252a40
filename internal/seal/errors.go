package seal

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrNotAge means that a file is no age file.
	ErrNotAge = errors.New("not a sealed cache: it does not begin as an age file does")
	// ErrForeign means that it is one, and not of PacketCache.
	ErrForeign = errors.New("an age file, but not a sealed cache of PacketCache")
	// ErrWrongKey means that none of the given keys opens the file.
	ErrWrongKey = errors.New("none of the keys opens the file")
)

// A VersionError is a file of a format that this program does not know.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the file has version %d of the format, and this program reads version %d only", e.Version, Version)
}

// A DamageError says where a file cannot be read: there it was changed, cut off,
// or written by somebody who does not keep to the format. All that can be read
// has been given out before, and is as it was written.
type DamageError struct {
	// Offset is the position in the plaintext of the first frame that cannot be
	// read, FileOffset that in the file from which on it cannot.
	Offset, FileOffset int64
	// Err says what is wrong there.
	Err error
	// Places is how many there are, each with at least a frame.
	Places int
}

func (e *DamageError) Error() string {
	switch {
	case e.FileOffset == 0:
		return fmt.Sprintf("its beginning is damaged: %v", e.Err)
	case e.Places > 1:
		return fmt.Sprintf("damaged at %d places, the first at byte %d: %v", e.Places, e.FileOffset, e.Err)
	}
	return fmt.Sprintf("damaged at byte %d: %v", e.FileOffset, e.Err)
}

// Unwrap returns what is wrong.
func (e *DamageError) Unwrap() error { return e.Err }

// What can be wrong with a file.
var (
	errCut      = fmt.Errorf("it ends in the middle: %w", io.ErrUnexpectedEOF)
	errEnd      = errors.New("its end is missing, or not as it was written")
	errTampered = errors.New("what stands there is not what was written")
	errTrailing = errors.New("something follows behind the end")
)
