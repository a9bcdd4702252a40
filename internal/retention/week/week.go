// Package week makes up the traffic of an office computer, as the computer
// itself would capture it: browsing, mail, updates, video, calls, file shares,
// and the chatter of a network, by day and by night. Sizes have heavy tails,
// payload is encrypted and so does not compress, behind handshakes that do.
// Nothing is stored: the same seed gives the same packets each time.
//
// The addresses are those for documentation and benchmarks (RFC 2544, 3849,
// 5737) and private ones, the names those of RFC 2606.
package week

import (
	"container/heap"
	"io"
	"math/rand/v2"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// A Week is a trace of so many days. It ends as the week's work does, on Friday
// at 18:00 UTC, which is when somebody may ask what there was.
type Week struct {
	Seed uint64
	Days float64
}

// finish is that Friday.
var finish = time.Date(2026, 3, 6, 18, 0, 0, 0, time.UTC)

// Open starts the week from its beginning.
func (w Week) Open() (trace.Stream, error) {
	s := &stream{
		random: rand.New(rand.NewPCG(w.Seed, 0)), //nolint:gosec // the same week for the same seed
		start:  finish.UnixNano() - int64(w.Days*24*float64(time.Hour)),
		end:    finish.UnixNano(),
	}
	s.noise.init(w.Seed)
	s.network.init(s)
	for _, a := range activities {
		s.add(int64(s.random.ExpFloat64()*float64(time.Hour)/a.perHour), &recurring{a})
	}
	return s, nil
}

// An actor does something at its time, such as to send a packet, and returns
// after how many nanoseconds it has something to do again; over: never.
type actor interface {
	act(s *stream) int64
}

const over int64 = -1

// A stream is a run of the simulation.
type stream struct {
	random  *rand.Rand
	noise   noise
	network network
	start   int64
	end     int64
	now     int64
	made    uint64 // actors so far
	due     schedule
	frame   []byte // the packet that the actor sends, empty if none
	buffers [][]byte
}

// longest is the length of the longest frame.
const longest = 1514

// Batch makes the next packets.
func (s *stream) Batch(ps []packet.Packet) (n int, err error) {
	for len(s.buffers) < len(ps) {
		s.buffers = append(s.buffers, make([]byte, 0, longest))
	}
	for n < len(ps) && s.due[0].at < s.end {
		next := &s.due[0]
		s.now = next.at
		s.frame = s.buffers[n][:0]
		wait := next.actor.act(s)
		next = &s.due[0] // others may have been added, behind it
		if wait == over {
			heap.Pop(&s.due)
		} else {
			next.at += max(wait, 1)
			heap.Fix(&s.due, 0)
		}
		if len(s.frame) > 0 {
			ps[n] = packet.Packet{Time: s.now, Data: s.frame, OrigLen: uint32(len(s.frame))}
			n++
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Interfaces is the network card.
func (s *stream) Interfaces() []packet.Interface {
	return []packet.Interface{{Name: "week", LinkType: packet.LinkTypeEthernet}}
}

// Close does nothing.
func (s *stream) Close() error { return nil }

// add lets an actor begin so many nanoseconds from now, at least one.
func (s *stream) add(wait int64, a actor) {
	s.made++
	now := max(s.now, s.start)
	heap.Push(&s.due, appointment{now + max(wait, 1), s.made, a})
}

// An appointment is when an actor is to act.
type appointment struct {
	at     int64
	number uint64 // of actors, to keep an order among those of the same time
	actor  actor
}

// A schedule is a heap of appointments, the next one first.
type schedule []appointment

func (h schedule) Len() int { return len(h) }
func (h schedule) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].number < h[j].number
}
func (h schedule) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *schedule) Push(x any)   { *h = append(*h, x.(appointment)) }
func (h *schedule) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
