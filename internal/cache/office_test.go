package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// An office is the trace of a working day: 209,381 packets that 11,586 TCP and
// UDP sessions sent in ten hours.
type office struct {
	*trace.Index
	link    packet.LinkType
	packets []packet.Packet
}

var (
	loadOffice = sync.OnceValues(readOffice)
	errNoTrace = errors.New("the trace of a day is not there")
)

// needOffice returns the trace of the corpus, which is read once.
func needOffice(t testing.TB) *office {
	t.Helper()
	o, err := loadOffice()
	if errors.Is(err, errNoTrace) && os.Getenv("CI") != "true" {
		t.Skip(err)
	} else if err != nil {
		t.Fatalf("the trace of the corpus: %v", err)
	}
	return o
}

func readOffice() (*office, error) {
	file, err := trace.Corpus(filepath.Join("..", ".."), "office-dev.pcap.zst")
	if err != nil {
		return nil, errors.Join(errNoTrace, err)
	}
	index, err := trace.NewIndex(file)
	if err != nil {
		return nil, err
	}
	o := &office{Index: index}
	return o, trace.Each(file, func(interfaces []packet.Interface, packets []packet.Packet) error {
		o.link = interfaces[0].LinkType
		for _, p := range packets {
			p.Data = bytes.Clone(p.Data)
			o.packets = append(o.packets, p)
		}
		return nil
	})
}

// replayTo puts the whole trace into a cache.
func (o *office) replayTo(t testing.TB, c *Cache) packet.InterfaceID {
	t.Helper()
	id := o.announce(t, c)
	batch := make([]packet.Packet, 0, 256)
	for i := range o.packets {
		p := o.packets[i]
		p.Interface = id
		if batch = append(batch, p); len(batch) == cap(batch) || i == len(o.packets)-1 {
			c.Replay(batch)
			batch = batch[:0]
		}
	}
	return id
}

func (o *office) announce(t testing.TB, c *Cache) packet.InterfaceID {
	t.Helper()
	id, err := c.Interface(packet.Interface{Name: "office", LinkType: o.link})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// present says of each packet of the trace whether the cache still has it. It
// also checks that the cache is read in the order of time.
func (o *office) present(t testing.TB, c *Cache, id packet.InterfaceID) []bool {
	t.Helper()
	r := c.NewReader()
	r.Begin(All)
	last := int64(0)
	present, err := o.Present(func(p *packet.Packet) bool {
		for r.Next(p) {
			if p.Time < last {
				t.Fatalf("time goes back by %d ns", last-p.Time)
			}
			if last = p.Time; p.Interface == id {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	return present
}

// A retention is what is left of the sessions.
type retention struct {
	heads     float64 // % of sessions whose first 4 KiB are there
	answered  float64 // the same of sessions of more than one packet
	whole     float64 // % of sessions of which all is there
	truncated int     // sessions of which something is there and something not
	prefixes  float64 // % of these of which exactly the beginning is there
}

func (o *office) retention(present []bool) (r retention) {
	var sessions, heads, whole, prefixes, answered, answeredHeads int
	for n, left := range o.Left(present) {
		s := &o.Sessions[n]
		if !s.Talk {
			continue
		}
		sessions++
		if left.Head >= 4096 {
			heads++
		}
		if s.Packets > 1 {
			answered++
			if left.Head >= 4096 {
				answeredHeads++
			}
		}
		switch {
		case left.Head == trace.Everything:
			whole++
		case left.Any:
			r.truncated++
			if !left.Broken {
				prefixes++
			}
		}
	}
	percent := func(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
	r.heads, r.answered = percent(heads, sessions), percent(answeredHeads, answered)
	r.whole, r.prefixes = percent(whole, sessions), percent(prefixes, r.truncated)
	return r
}

// recordOverhead is how many bytes the records of the classes take beyond the
// packets' own, on average.
func recordOverhead(c *Cache) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	records, bytes := 0, 0
	for class := range NumClasses {
		for slot := c.logs[class].oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			records += int(seg.records)
			bytes += int(seg.size) - int(seg.bytes)
		}
	}
	return float64(bytes) / float64(max(records, 1))
}
