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
// nothing that is not as it was written. It takes about 400 KiB besides the
// head. It is not safe for concurrent use.
type Reader struct {
	name    Name
	head    *Head
	end     End
	in      *payload
	at      int64 // the plaintext offset of what is read next
	segment [segmentHeader]byte
	data    []byte
	count   End
	err     error
}

// NewReader begins to read a file. Besides those of ReadName, errors are
// ErrWrongKey, and a *DamageError if not even the head can be read.
func NewReader(r io.Reader, ids ...age.Identity) (*Reader, error) {
	header, rest, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(header)
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
	in, err := newPayload(rest, fileKey, int64(len(header)))
	if err != nil {
		return nil, &DamageError{FileOffset: int64(len(header)), Err: err}
	}
	out := &Reader{name: name, in: in}
	if err := out.begin(); err != nil {
		return nil, err
	}
	return out, nil
}

// Name is whose the file is.
func (r *Reader) Name() Name { return r.name }

// Head is what stands at the beginning.
func (r *Reader) Head() *Head { return r.head }

// End is what stands at the end, once Next has returned io.EOF.
func (r *Reader) End() End { return r.end }

// Close overwrites what was read in memory.
func (r *Reader) Close() {
	r.in.wipe()
	clear(r.data[:cap(r.data)])
	if r.err == nil {
		r.err = errors.New("the sealed file has been closed")
	}
}

// begin reads magic and head.
func (r *Reader) begin() error {
	var start [len(magic)]byte
	if err := r.read(start[:]); err != nil {
		return r.damaged(err)
	}
	if string(start[:]) != magic {
		return r.damaged(errors.New("the plaintext does not begin as that of a sealed cache"))
	}
	kind, length, err := r.frame()
	if err == nil && (kind != frameHead || length > maxHead) {
		err = fmt.Errorf("there is no head, but a frame of kind %d with %d bytes", kind, length)
	}
	if err != nil {
		return r.damaged(err)
	}
	raw := make([]byte, length)
	defer clear(raw)
	if err := r.read(raw); err != nil {
		return r.damaged(err)
	}
	if r.head, err = decodeHead(raw); err != nil {
		return r.damaged(fmt.Errorf("the head cannot be read: %w", err))
	}
	r.at = int64(len(magic) + frameHeader + length)
	return nil
}

// Next reads the next segment. Its Data are valid until the next call. Whether
// it makes sense is for the caller to check: all that is sure is that who wrote
// the file wrote it like that, and that Data have no more than a bounded length.
//
// At the end of a whole file it returns io.EOF; anything else is a *DamageError.
func (r *Reader) Next(s *record.Segment) error {
	if r.err == nil {
		r.err = r.next(s)
	}
	return r.err
}

func (r *Reader) next(s *record.Segment) error {
	kind, length, err := r.frame()
	if err != nil {
		return r.damaged(err)
	}
	switch {
	case kind == frameEnd && length <= maxEnd:
		return r.last(length)
	case kind != frameSegment, length < segmentHeader, length > segmentHeader+maxData:
		return r.damaged(fmt.Errorf("there is a frame of kind %d with %d bytes", kind, length))
	case r.count.Segments == MaxSegments:
		return r.damaged(fmt.Errorf("there are more than %d segments", MaxSegments))
	}
	if err := r.read(r.segment[:]); err != nil {
		return r.damaged(err)
	}
	n := length - segmentHeader
	if cap(r.data) < n {
		r.data = make([]byte, max(n, min(2*cap(r.data), maxData)))
	}
	if err := r.read(r.data[:n]); err != nil {
		return r.damaged(err)
	}
	if err := getSegment(s, &r.segment, r.data[:n:n]); err != nil {
		return r.damaged(err)
	}
	r.count.Segments++
	r.count.Packets += uint64(s.Records)
	r.count.Bytes += s.Captured
	r.at += int64(frameHeader + length)
	return nil
}

// last reads the end frame and what may follow it.
func (r *Reader) last(length int) error {
	raw := make([]byte, length)
	if err := r.read(raw); err != nil {
		return r.damaged(err)
	}
	var end End
	if err := json.Unmarshal(raw, &end); err != nil {
		return r.damaged(fmt.Errorf("the end cannot be read: %w", err))
	}
	if end.Segments != r.count.Segments || end.Packets != r.count.Packets || end.Bytes != r.count.Bytes {
		return r.damaged(fmt.Errorf("there are %d segments with %d packets of %d bytes, and the end speaks of %d with %d of %d",
			r.count.Segments, r.count.Packets, r.count.Bytes, end.Segments, end.Packets, end.Bytes))
	}
	var more [1]byte
	switch _, err := io.ReadFull(r.in, more[:]); {
	case err == nil:
		return r.damaged(errTrailing)
	case !errors.Is(err, io.EOF):
		return r.damaged(err)
	}
	r.end = end
	r.at += int64(frameHeader + length)
	return io.EOF
}

// frame reads what a frame begins with.
func (r *Reader) frame() (kind byte, length int, err error) {
	var b [frameHeader]byte
	if err := r.read(b[:]); err != nil {
		return 0, 0, err
	}
	return b[0], int(binary.LittleEndian.Uint32(b[1:])), nil
}

// read fills b. Where the plaintext ends, the end frame is missing.
func (r *Reader) read(b []byte) error {
	if _, err := io.ReadFull(r.in, b); err != nil {
		return cutOr(err)
	}
	return nil
}

// damaged says from where on nothing can be read.
func (r *Reader) damaged(err error) error {
	return &DamageError{Offset: r.at, FileOffset: r.in.place(r.at), Err: err}
}
