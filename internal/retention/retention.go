// Package retention measures how much of a trace is left in a fixed amount of
// memory: in the cache, and in what else might be done with that memory.
package retention

import (
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/trace"
)

// A Head is the beginning of a session, in bytes as they are on the wire,
// headers included. Whole is all of it.
type Head uint64

// Whole is a head that no session is longer than.
const Whole = Head(trace.Everything)

// String is the head as tables name it.
func (h Head) String() string {
	if h == Whole {
		return "everything"
	}
	return "first " + config.FormatBytes(uint64(h))
}

// Heads are what sessions are asked for.
var Heads = [...]Head{1 << 10, 4 << 10, 16 << 10, Whole}

// Reaches are the heads of which it is told how far back they reach.
var Reaches = [...]Head{1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, Whole}

// Spans is in how many equal spans of the trace sessions are counted by age.
const Spans = 20

// A Share is how many of some sessions have what is asked for.
type Share struct{ Have, Of int }

// Percent is the share in percent; 0 of nothing.
func (s Share) Percent() float64 { return 100 * float64(s.Have) / float64(max(s.Of, 1)) }

func (s *Share) count(has bool) {
	s.Of++
	if has {
		s.Have++
	}
}

// A Reach is how far back something is complete. All says that none of it is
// missing; Age is that of the trace then.
type Reach struct {
	Age time.Duration
	All bool
}

// String is the reach as tables show it.
func (r Reach) String() string {
	if r.All {
		return "all of it"
	}
	return Age(r.Age)
}

// A Result is what is left of a trace.
type Result struct {
	Variant string
	// Sessions of TCP and UDP, by Heads, that have these.
	Sessions [len(Heads)]Share
	// Answered is the same of those of more than one packet.
	Answered [len(Heads)]Share
	// ByAge is the same of those that began in the first, second, ... of equal
	// spans of time before the end of the trace.
	ByAge [len(Heads)][Spans]Share
	// Complete says, by Reaches, up to which age no packet is missing that
	// begins in that head of its session, whatever its protocol.
	Complete [len(Reaches)]Reach
	// Promised is the same of what pcctl status speaks of: sessions of more than
	// one packet, and of super-frames those that end in the head.
	Promised [len(Reaches)]Reach
	// Truncated are sessions of which something is left and something not,
	// Prefixes those of them of which exactly the beginning is.
	Truncated, Prefixes int
	// Packets and Bytes, as captured, that are left.
	Packets, Bytes uint64
	// CPU is what the process spent while packets were put in; 0 if what was
	// measured is a calculation.
	CPU time.Duration
}

// A Study is the results of one trace and budget.
type Study struct {
	Trace    string
	Budget   int // bytes
	Packets  int
	Bytes    uint64 // captured
	Sessions int    // of TCP and UDP
	Duration time.Duration
	Results  []Result // by variant
}

// Measure replays a trace through each of the variants.
func Measure(name string, t trace.Trace, x *trace.Index, budget int, variants []Variant) (*Study, error) {
	s := &Study{Trace: name, Budget: budget, Packets: len(x.Packets), Bytes: x.Bytes, Duration: x.Duration()}
	for i := range x.Sessions {
		if x.Sessions[i].Talk {
			s.Sessions++
		}
	}
	for _, v := range variants {
		present, cpu, err := v.Keep(t, x, budget)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Name, err)
		}
		r := measure(x, present)
		r.Variant, r.CPU = v.Name, cpu
		s.Results = append(s.Results, r)
	}
	return s, nil
}

// measure says what is left of a trace if these of its packets are present.
func measure(x *trace.Index, present []bool) (r Result) {
	for i, here := range present {
		if here {
			r.Packets++
			r.Bytes += uint64(x.Packets[i].Length)
		}
	}
	end, span := x.End(), int64(x.Duration())/Spans+1
	for n, left := range x.Left(present) {
		s := &x.Sessions[n]
		if !s.Talk {
			continue
		}
		if left.Any && left.Head != trace.Everything {
			r.Truncated++
			if !left.Broken {
				r.Prefixes++
			}
		}
		for i, head := range Heads {
			has := left.Head >= uint64(head)
			r.Sessions[i].count(has)
			if s.Packets > 1 {
				r.Answered[i].count(has)
			}
			r.ByAge[i][(end-s.Begun)/span].count(has)
		}
	}
	for i, head := range Reaches {
		c, p := &r.Complete[i], &r.Promised[i]
		c.Age, c.All = x.Complete(present, func(p *trace.Packet) bool { return p.Offset < uint64(head) })
		p.Age, p.All = x.Complete(present, func(p *trace.Packet) bool {
			return x.Sessions[p.Session].Packets > 1 && decisive(p) < uint64(head)
		})
	}
	return r
}

// decisive is the offset by which the cache takes a packet for part of a head.
func decisive(p *trace.Packet) uint64 {
	const superFrame = 2048
	if p.Length > superFrame {
		return p.Offset + uint64(p.Length) - 1
	}
	return p.Offset
}
