package cache

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/session"
)

// An office is the trace of a working day: 209,381 packets that 11,586 TCP and
// UDP sessions sent in ten hours.
type office struct {
	link    packet.LinkType
	packets []packet.Packet
	// Of each packet: its session, in the order of their beginning, and the
	// offset in it. Packets of other sessions than TCP and UDP have them too.
	session []int
	offset  []uint64
	// talks says which sessions are TCP or UDP.
	talks []bool
}

var (
	loadOffice = sync.OnceValues(readOffice)
	errNoTrace = errors.New("no corpus (set PACKETCACHE_CORPUS)")
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
	root := os.Getenv("PACKETCACHE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	path := filepath.Join(root, "office-dev.pcap.zst")
	if _, err := os.Stat(path); err != nil {
		return nil, errors.Join(errNoTrace, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unpacked, err := zstd.NewReader(file)
	if err != nil {
		return nil, err
	}
	defer unpacked.Close()
	r, err := pcapio.NewReader(unpacked)
	if err != nil {
		return nil, err
	}
	o := &office{link: r.Interfaces()[0].LinkType}
	const slots = 1 << 16 // far more than are ever live
	table, err := session.NewTable(make([]byte, slots*128), make([]byte, 1<<20))
	if err != nil {
		return nil, err
	}
	decoder := session.NewDecoder()
	bySlot := map[int]int{}
	var age clock
	for {
		var p packet.Packet
		if err := r.Next(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		p.Data = bytes.Clone(p.Data)
		age.step(p.Time)
		var f session.Flow
		decoder.Decode(o.link, p.Data, &f)
		slot, offset, event := table.Visit(&f, table.Find(f.Hash), age.tick(), max(p.OrigLen, uint32(len(p.Data))))
		if event == session.Began {
			bySlot[slot] = len(o.talks)
			a, b := f.Key.Ports()
			o.talks = append(o.talks, a != 0 || b != 0)
		}
		o.packets = append(o.packets, p)
		o.session = append(o.session, bySlot[slot])
		o.offset = append(o.offset, offset)
	}
	if given := table.Stats().GivenUp; given != 0 {
		return nil, errors.New("the table to tell sessions apart was too small")
	}
	return o, nil
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

// A fingerprint tells the packets of a trace apart, nearly.
type fingerprint struct {
	time int64
	data uint64
}

var fingerprintSeed = maphash.MakeSeed()

func fingerprintOf(p *packet.Packet) fingerprint {
	return fingerprint{p.Time, maphash.Bytes(fingerprintSeed, p.Data)}
}

// present says of each packet of the trace whether the cache still has it. It
// also checks that the cache is read in the order of time.
func (o *office) present(t testing.TB, c *Cache, id packet.InterfaceID) []bool {
	t.Helper()
	index := make(map[fingerprint][]int32, len(o.packets))
	for i := range o.packets {
		f := fingerprintOf(&o.packets[i])
		index[f] = append(index[f], int32(i))
	}
	present := make([]bool, len(o.packets))
	r := c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for last := int64(0); r.Next(&p); last = p.Time {
		if p.Time < last {
			t.Fatalf("time goes back by %d ns", last-p.Time)
		}
		if p.Interface != id {
			continue
		}
		f := fingerprintOf(&p)
		if len(index[f]) == 0 {
			t.Fatalf("a packet of time %d was not put in, or comes twice", p.Time)
		}
		present[index[f][0]] = true
		index[f] = index[f][1:]
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
	type state struct {
		packets                      int
		headless, lost, kept, broken bool
	}
	states := make([]state, len(o.talks))
	for i, here := range present {
		s := &states[o.session[i]]
		s.packets++
		s.kept = s.kept || here
		s.broken = s.broken || here && s.lost
		s.lost = s.lost || !here
		s.headless = s.headless || !here && o.offset[i] < 4096
	}
	var sessions, heads, whole, prefixes, answered, answeredHeads int
	for n, s := range states {
		if !o.talks[n] {
			continue
		}
		sessions++
		if !s.headless {
			heads++
		}
		if s.packets > 1 {
			answered++
			if !s.headless {
				answeredHeads++
			}
		}
		switch {
		case !s.lost:
			whole++
		case s.kept:
			r.truncated++
			if !s.broken {
				prefixes++
			}
		}
	}
	percent := func(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
	r.heads, r.answered = percent(heads, sessions), percent(answeredHeads, answered)
	r.whole, r.prefixes = percent(whole, sessions), percent(prefixes, r.truncated)
	return r
}

// recordOverhead is how many bytes the records of a cache take beyond the
// packets' own, on average, as they stand in segments.
func recordOverhead(c *Cache) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	records, bytes := 0, 0
	for class := range c.logs {
		for slot := c.logs[class].oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			w := walk{c: c, seg: &c.segments.slots[slot]}
			for at := uint32(0); w.next(); at = w.offset {
				records++
				bytes += int(w.offset-at) - w.header.length
			}
		}
	}
	return float64(bytes) / float64(max(records, 1))
}
