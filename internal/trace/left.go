package trace

import (
	"math"
	"time"
)

// Everything is a head that no session is longer than.
const Everything uint64 = math.MaxUint64

// Left is what is left of a session.
type Left struct {
	// Head is how many of its first bytes are there, by whole packets: the
	// offset of the first packet that is not. Everything if none is missing.
	Head uint64
	// Any says that at least one packet is there, Broken that one is there
	// behind one that is not.
	Any, Broken bool
}

// Left says of each session what is left of it.
func (x *Index) Left(present []bool) []Left {
	left := make([]Left, len(x.Sessions))
	for i := range left {
		left[i].Head = Everything
	}
	for i, here := range present {
		e := &x.Packets[i]
		l := &left[e.Session]
		l.Any = l.Any || here
		l.Broken = l.Broken || here && l.Head != Everything
		if !here {
			l.Head = min(l.Head, e.Offset)
		}
	}
	return left
}

// Complete returns the age, at the end of the trace, up to which all of the
// packets that are wanted are there: that of the newest one that is not. If none
// is missing it is the age of the trace, and all is true. Ages are those of the
// clock of Session.Begun.
func (x *Index) Complete(present []bool, wanted func(*Packet) bool) (age time.Duration, all bool) {
	now := x.Packets[0].Time
	lost := now
	all = true
	for i, here := range present {
		p := &x.Packets[i]
		now = max(now, p.Time)
		if !here && wanted(p) {
			lost, all = now, false
		}
	}
	return time.Duration(now - lost), all
}

// End is the newest time of the trace, which ages are told from.
func (x *Index) End() int64 {
	if x.byTime != nil {
		return x.Packets[x.byTime[len(x.byTime)-1]].Time
	}
	return x.Packets[len(x.Packets)-1].Time
}

// Duration is the time from the first packet to the newest.
func (x *Index) Duration() time.Duration { return time.Duration(x.End() - x.Packets[0].Time) }
