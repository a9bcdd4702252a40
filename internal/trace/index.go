package trace

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
)

// A Packet is what an Index knows of a packet.
type Packet struct {
	// Time is its timestamp.
	Time int64
	// Offset is how many bytes of its session came before it.
	Offset uint64
	// Session is the number of its session.
	Session uint32
	// Length is how many bytes of it were captured.
	Length uint32
	data   uint64 // hash
}

// An Index is what there is in a trace, without its bytes: 32 bytes a packet.
type Index struct {
	Packets  []Packet // in the order of the trace
	Sessions []Session
	Bytes    uint64 // captured
	seed     maphash.Seed
	byTime   []uint32 // nil: as Packets
}

// NewIndex goes through a trace.
func NewIndex(t Trace) (*Index, error) {
	n, err := newNumberer()
	if err != nil {
		return nil, err
	}
	x := &Index{seed: maphash.MakeSeed()}
	err = Each(t, func(links []packet.Interface, batch []packet.Packet) error {
		for i := range batch {
			p := &batch[i]
			e := Packet{Time: p.Time, Length: uint32(len(p.Data)), data: maphash.Bytes(x.seed, p.Data)}
			var at int
			x.Sessions, at, e.Offset = n.number(x.Sessions, links[p.Interface].LinkType, p)
			e.Session = uint32(at)
			x.Packets = append(x.Packets, e)
			x.Bytes += uint64(e.Length)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(x.Packets) == 0 {
		return nil, errors.New("there is no packet")
	}
	byTime := func(a, b Packet) int { return cmp.Compare(a.Time, b.Time) }
	if !slices.IsSortedFunc(x.Packets, byTime) {
		x.byTime = make([]uint32, len(x.Packets))
		for i := range x.byTime {
			x.byTime[i] = uint32(i)
		}
		slices.SortStableFunc(x.byTime, func(a, b uint32) int { return byTime(x.Packets[a], x.Packets[b]) })
	}
	return x, n.check()
}

// Present says of each packet of the trace whether it is among those that next
// returns, in any order, until it reports false. It is an error if one of these
// was not in the trace, or comes too often.
func (x *Index) Present(next func(*packet.Packet) bool) ([]bool, error) {
	present := make([]bool, len(x.Packets))
	var p packet.Packet
	for next(&p) {
		at := x.find(&p, present)
		if at < 0 {
			return nil, fmt.Errorf("a packet of %d bytes and time %d was not in the trace, or comes twice", len(p.Data), p.Time)
		}
		present[at] = true
	}
	return present, nil
}

// find returns the first packet of the trace that p can be, and that is not
// taken; -1 if there is none.
func (x *Index) find(p *packet.Packet, taken []bool) int {
	data := maphash.Bytes(x.seed, p.Data)
	at, _ := slices.BinarySearchFunc(x.Packets, p.Time, func(e Packet, t int64) int { return cmp.Compare(e.Time, t) })
	if x.byTime != nil {
		at, _ = slices.BinarySearchFunc(x.byTime, p.Time, func(i uint32, t int64) int { return cmp.Compare(x.Packets[i].Time, t) })
	}
	for ; at < len(x.Packets); at++ {
		i := at
		if x.byTime != nil {
			i = int(x.byTime[at])
		}
		if e := &x.Packets[i]; e.Time != p.Time {
			break
		} else if e.data == data && !taken[i] {
			return i
		}
	}
	return -1
}
