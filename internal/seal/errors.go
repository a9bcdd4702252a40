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

// A DamageError says from where on a file cannot be read: it was cut off,
// changed, or written by somebody who does not keep to the format. What came
// before is as it was written.
type DamageError struct {
	// Offset is the position in the plaintext behind the last whole frame.
	Offset int64
	// FileOffset is that in the file from which on it is damaged; with what
	// makes no sense, that of the chunk where it begins.
	FileOffset int64
	// Err says what is wrong there.
	Err error
}

func (e *DamageError) Error() string {
	if e.FileOffset == 0 {
		return fmt.Sprintf("its beginning is damaged: %v", e.Err)
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
