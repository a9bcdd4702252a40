package seal

import (
	"time"

	"github.com/packetcache/packetcache/internal/record"
)

// A Report is what a file says, and what of that can be read.
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
	// Strange segments can be read, and are not what they say. Strangest says what
	// is wrong with the first of them.
	Strange   Count
	Strangest error
}

// A Content is some segments, with the least and the greatest timestamp of their
// packets, in nanoseconds since the Unix epoch; both 0 without any.
type Content struct {
	Count
	Oldest, Newest int64
	// Reach is the age of the newest packet of the last segment, when the file was
	// begun. Those of a log come in the order of age, so everything younger is
	// there, as far as nothing is damaged.
	Reach time.Duration
}

func (c *Content) add(s *record.Segment) {
	if c.Segments == 0 {
		c.Oldest, c.Newest = s.MinTime, s.MaxTime
	}
	c.Oldest, c.Newest = min(c.Oldest, s.MinTime), max(c.Newest, s.MaxTime)
	c.Reach = s.Newest
	c.Count.add(s)
}

// Good says that the file is whole and all in it as it says.
func (r *Report) Good() bool { return r.Damage == nil && r.Strange.Segments == 0 }

// Expected is how many segments and packets there should be: what the end says,
// or, without one, what was to be written when the file was begun. Of the latter
// some may have had to make room meanwhile.
func (r *Report) Expected() (c Count) {
	if r.Ended {
		return Count{r.End.Segments, r.End.Packets, r.End.Bytes}
	}
	for _, l := range r.Head.State.Logs {
		c.Segments += max(l.Segments, 0)
		c.Packets += l.Packets
		c.Bytes += l.Bytes
	}
	return c
}

// begin starts the report on a file.
func (r *Report) begin(in *Reader) {
	r.Name, r.Head = in.name, in.head
	r.Logs = make([]Content, len(in.head.State.Logs))
}

// add books a segment, with what is wrong with it.
func (r *Report) add(s *record.Segment, err error) {
	if err == nil {
		r.Logs[s.Log].add(s)
		r.Found.add(s)
		return
	}
	if r.Strange.Segments == 0 {
		r.Strangest = err
	}
	r.Strange.add(s)
}
