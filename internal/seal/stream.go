package seal

import (
	"bytes"
	"errors"
	"io"
)

// maxFailures is how many chunks may fail to be read before the disk is given
// up: each may take seconds.
const maxFailures = 16

// A stream reads the plaintext of a file from its beginning to its end, and gives
// out nothing that has not been authenticated.
type stream struct {
	*payload
	plain    []byte // of a chunk
	unread   []byte // what of it is still to be read
	base     int64  // the offset of the chunk in the plaintext
	index    int64  // of the next chunk
	last     bool   // there is none
	failures int
	err      error
}

func newStream(p *payload) *stream { return &stream{payload: p, plain: make([]byte, 0, chunkSize)} }

// Read ends with io.EOF where the file does, if it ends as it was written. After
// another error it goes on behind the damage once skip has found a place there.
func (s *stream) Read(b []byte) (int, error) {
	for len(s.unread) == 0 {
		if s.err == nil {
			s.err = s.next()
		}
		if s.err != nil {
			return 0, s.err
		}
	}
	n := copy(b, s.unread)
	s.unread = s.unread[n:]
	return n, nil
}

// next opens the next chunk.
func (s *stream) next() error {
	if s.last {
		if s.follows(s.index-1, len(s.plain)) {
			return errTrailing
		}
		return io.EOF
	}
	plain, last, err := s.chunk(s.plain, s.index)
	if err != nil {
		return err
	}
	s.base, s.plain, s.unread, s.last = s.index*chunkSize, plain, plain, last
	s.index++
	return nil
}

// skip goes on behind the next place where the mark stands, whatever is before it,
// and reports false if there is none.
func (s *stream) skip(mark []byte) bool {
	var window []byte // what is searched: the chunk, and what of the one before the mark may begin with
	defer func() { clear(window[:cap(window)]) }()
	for {
		if s.err != nil {
			window = window[:0]
			if !s.pass() {
				return false
			}
		} else {
			seam := len(window)
			window = append(window, s.unread...)
			if i := bytes.Index(window, mark); i >= 0 {
				s.unread = s.unread[i+len(mark)-seam:]
				return true
			}
			window = window[:copy(window, window[max(0, len(window)-len(mark)+1):])]
			s.unread = nil
		}
		s.err = s.next()
	}
}

// pass goes on behind a chunk that cannot be read, and reports false if that was
// the end.
func (s *stream) pass() bool {
	switch {
	case errors.Is(s.err, io.EOF), errors.Is(s.err, errCut), errors.Is(s.err, errEnd), errors.Is(s.err, errTrailing):
		return false
	case !errors.Is(s.err, errTampered):
		if s.failures++; s.failures == maxFailures {
			return false
		}
	}
	s.err = nil
	s.index++
	s.base, s.plain, s.unread = s.index*chunkSize, s.plain[:0], nil
	return true
}

// at is the offset in the plaintext of what is read next.
func (s *stream) at() int64 { return s.base + int64(len(s.plain)-len(s.unread)) }

// damaged is the offset in the file of the chunk that cannot be read, or, if it
// was read, of the one with a byte of the plaintext.
func (s *stream) damaged(offset int64) int64 {
	if s.err != nil {
		return s.place(s.index)
	}
	return s.place(offset / chunkSize)
}

// wipe overwrites what has been read.
func (s *stream) wipe() {
	clear(s.plain[:cap(s.plain)])
	s.unread = nil
}
