package seal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/record"
)

// A Reader reads a sealed file from its beginning to its end, and gives out
// nothing that is not as it was written. What is damaged it passes over. It takes
// about 400 KiB besides the head. It is not safe for concurrent use.
type Reader struct {
	name    Name
	head    *Head
	end     End
	ended   bool
	in      *stream
	mark    [markSize]byte
	marked  bool  // the mark of the next frame has been read
	at      int64 // the plaintext offset of the next frame
	header  [frameHeader]byte
	segment [segmentHeader]byte
	data    []byte
	count   Count
	damage  *DamageError
	err     error
}

// NewReader begins to read a file. Besides those of ReadName, errors are
// ErrWrongKey, and a *DamageError if not even the head can be read.
func NewReader(src io.ReaderAt, ids ...age.Identity) (*Reader, error) {
	header, name, err := ReadHeader(io.NewSectionReader(src, 0, MaxHeader))
	if err != nil {
		return nil, err
	}
	fileKey, err := age.DecryptHeader(header, ids...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, ErrWrongKey
		}
		return nil, &DamageError{Err: fmt.Errorf("the age header: %w", err)}
	}
	p, err := newPayload(src, fileKey, int64(len(header)))
	if err != nil {
		return nil, &DamageError{FileOffset: int64(len(header)), Err: err}
	}
	r := &Reader{name: name, in: newStream(p)}
	if err := r.begin(); err != nil {
		return nil, &DamageError{FileOffset: r.in.damaged(0), Err: err}
	}
	return r, nil
}

// Name is whose the file is.
func (r *Reader) Name() Name { return r.name }

// Head is what stands at the beginning.
func (r *Reader) Head() *Head { return r.head }

// End is what stands at the end, and whether it could be read. It is there once
// Next has returned an error.
func (r *Reader) End() (End, bool) { return r.end, r.ended }

// Close overwrites what was read in memory.
func (r *Reader) Close() {
	r.in.wipe()
	clear(r.data[:cap(r.data)])
	if r.err == nil {
		r.err = errors.New("the sealed file has been closed")
	}
}

// begin reads magic, mark and head.
func (r *Reader) begin() error {
	var start [len(magic)]byte
	if err := r.read(start[:]); err != nil {
		return err
	}
	if string(start[:]) != magic {
		return errors.New("the plaintext does not begin as that of a sealed cache")
	}
	if err := r.read(r.mark[:]); err != nil {
		return err
	}
	kind, length, err := r.frame()
	if err == nil && (kind != frameHead || length > maxHead) {
		err = fmt.Errorf("there is no head, but a frame of kind %d with %d bytes", kind, length)
	}
	if err != nil {
		return err
	}
	raw := make([]byte, length)
	defer clear(raw)
	if err := r.read(raw); err != nil {
		return err
	}
	if r.head, err = decodeHead(raw); err != nil {
		return fmt.Errorf("the head cannot be read: %w", err)
	}
	return nil
}

// Next reads the next segment. Its Data are valid until the next call. Whether
// it makes sense is for the caller to check: all that is sure is that who wrote
// the file wrote it like that, and that Data have no more than a bounded length.
//
// At the end of a whole file it returns io.EOF. Anything else is a *DamageError,
// which comes when everything has been read that can be.
func (r *Reader) Next(s *record.Segment) error {
	for r.err == nil {
		r.at = r.in.at()
		if r.marked {
			r.at -= markSize
		}
		err := r.next(s)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, io.EOF):
			r.err = io.EOF
			if r.damage != nil {
				r.err = r.damage
			}
		default:
			r.pass(err)
		}
	}
	return r.err
}

// Passed is at how many places something was damaged so far, that Next has passed
// over.
func (r *Reader) Passed() int {
	if r.damage == nil {
		return 0
	}
	return r.damage.Places
}

// pass notes what is damaged, and goes on with the next frame behind it.
func (r *Reader) pass(err error) {
	if r.damage == nil {
		r.damage = &DamageError{Offset: r.at, FileOffset: r.in.damaged(r.at), Err: err}
	}
	r.damage.Places++
	if r.marked = r.in.skip(r.mark[:]); !r.marked {
		r.err = r.damage
	}
}

// next reads a frame, and returns io.EOF if it was the last.
func (r *Reader) next(s *record.Segment) error {
	kind, length, err := r.frame()
	if err != nil {
		return err
	}
	switch {
	case kind == frameEnd && length <= maxEnd:
		return r.last(length)
	case kind != frameSegment, length < segmentHeader, length > segmentHeader+maxData:
		return fmt.Errorf("there is a frame of kind %d with %d bytes", kind, length)
	case r.count.Segments == MaxSegments:
		return fmt.Errorf("there are more than %d segments", MaxSegments)
	}
	if err := r.read(r.segment[:]); err != nil {
		return err
	}
	n := length - segmentHeader
	if cap(r.data) < n {
		r.data = make([]byte, max(n, min(2*cap(r.data), maxData)))
	}
	if err := r.read(r.data[:n]); err != nil {
		return err
	}
	if err := getSegment(s, &r.segment, r.data[:n:n]); err != nil {
		return err
	}
	r.count.add(s)
	return nil
}

// last reads the end, and looks whether anything follows it.
func (r *Reader) last(length int) error {
	raw := make([]byte, length)
	if err := r.read(raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &r.end); err != nil {
		return fmt.Errorf("the end cannot be read: %w", err)
	}
	r.ended = true
	if said := (Count{r.end.Segments, r.end.Packets, r.end.Bytes}); said != r.count && r.damage == nil {
		return fmt.Errorf("there are %v, and the end speaks of %v", r.count, said)
	}
	var more [1]byte
	_, err := io.ReadFull(r.in, more[:])
	if err == nil {
		return errTrailing
	}
	return err
}

// frame reads what a frame begins with.
func (r *Reader) frame() (kind byte, length int, err error) {
	b := r.header[:]
	if r.marked {
		err = r.read(b[markSize:])
	} else if err = r.read(b); err == nil && [markSize]byte(b) != r.mark {
		err = errors.New("no frame begins there")
	}
	r.marked = false
	if err != nil {
		return 0, 0, err
	}
	return b[markSize], int(binary.LittleEndian.Uint32(b[markSize+1:])), nil
}

// read fills b. Where the plaintext ends, the end frame is missing.
func (r *Reader) read(b []byte) error {
	if _, err := io.ReadFull(r.in, b); err != nil {
		return cutOr(err)
	}
	return nil
}
