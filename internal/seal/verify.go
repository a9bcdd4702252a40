package seal

import (
	"errors"
	"io"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/record"
)

// A Report is what a file holds.
type Report struct {
	Name Name
	Head *Head
	// End is what the file says at its end. Of one that was cut off there is none.
	End   End
	Ended bool
	// Damage says where the file cannot be read, nil if all of it can.
	Damage *DamageError
	// Found is what can be read, in all and by log, as Head.State.Logs.
	Found Content
	Logs  []Content
	// Strange segments can be read and are not what they say. They count as found
	// as well, if they say of which log they are. Strangest says what is wrong with
	// the first of them.
	Strange   Count
	Strangest error
}

// A Content is some segments, with the least and the greatest timestamp of their
// packets, in nanoseconds since the Unix epoch; both 0 without any.
type Content struct {
	Count
	Oldest, Newest int64
}

func (c *Content) add(s *record.Segment) {
	if c.Segments == 0 {
		c.Oldest, c.Newest = s.MinTime, s.MaxTime
	}
	c.Oldest, c.Newest = min(c.Oldest, s.MinTime), max(c.Newest, s.MaxTime)
	c.Count.add(s)
}

// Good says that the file is whole and all in it as it says.
func (r *Report) Good() bool { return r.Damage == nil && r.Strange.Segments == 0 }

// Verify reads a file, unpacks each segment, and goes through its records. Errors
// and look are those of Open.
func Verify(src io.ReaderAt, look func(done int64) error, ids ...age.Identity) (*Report, error) {
	watched := &watchedFile{src: src, look: look}
	in, err := NewReader(watched, ids...)
	if err != nil {
		return nil, errors.Join(watched.err, err)
	}
	defer in.Close()
	u, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	defer u.close()
	r := &Report{Name: in.name, Head: in.head, Logs: make([]Content, len(in.head.State.Logs))}
	var s record.Segment
	var raw []byte
	defer func() { clear(raw[:cap(raw)]) }()
	for {
		err := in.Next(&s)
		if watched.err != nil {
			return nil, watched.err
		}
		if err != nil {
			_ = errors.As(err, &r.Damage) // else it is the end
			r.End, r.Ended = in.End()
			return r, nil
		}
		if s.Log < len(r.Logs) {
			r.Logs[s.Log].add(&s)
			r.Found.add(&s)
		}
		err = check(&s, &in.head.State)
		if err == nil {
			var unpacked []byte
			if unpacked, err = u.records(&s, raw); err == nil {
				raw = unpacked
				err = checkRecords(&s, raw)
			}
		}
		if err != nil {
			if r.Strange.Segments == 0 {
				r.Strangest = err
			}
			r.Strange.add(&s)
		}
	}
}
