package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A fuzzSegment is the fixed part of a segment in the input of FuzzRestore, each
// followed by its data.
type fuzzSegment struct {
	Log, Table, Codec, Flags uint8
	Records, Tallies         uint16
	Size, Captured           uint32
	Newest, MinTime, MaxTime int64
	Behind                   uint64
	Shares                   [record.MaxShares + 1]record.Share // those with packets count
	Data                     uint16
}

func appendFuzzSegment(b []byte, s *record.Segment) []byte {
	f := fuzzSegment{
		Log: uint8(s.Log), Table: uint8(s.Table), Codec: uint8(s.Codec), Records: uint16(s.Records), Tallies: uint16(s.Tallies),
		Size: uint32(s.Size), Captured: uint32(s.Captured), Newest: int64(s.Newest), MinTime: s.MinTime, MaxTime: s.MaxTime,
		Behind: s.Behind, Data: uint16(len(s.Data)),
	}
	copy(f.Shares[:], s.Shares)
	if s.Disordered {
		f.Flags |= 1
	}
	if s.Many {
		f.Flags |= 2
	}
	b, err := binary.Append(b, binary.LittleEndian, &f)
	if err != nil {
		panic(err)
	}
	return append(b, s.Data...)
}

func nextFuzzSegment(b []byte) (s record.Segment, rest []byte, ok bool) {
	var f fuzzSegment
	n, err := binary.Decode(b, binary.LittleEndian, &f)
	if err != nil {
		return s, nil, false
	}
	b = b[n:]
	s = record.Segment{
		Log: int(int8(f.Log)), Table: int(int8(f.Table)), Codec: record.Codec(f.Codec), Records: int(f.Records), Tallies: int(int16(f.Tallies)),
		Size: int(int32(f.Size)), Captured: uint64(f.Captured), Newest: time.Duration(f.Newest), MinTime: f.MinTime, MaxTime: f.MaxTime,
		Behind: f.Behind, Disordered: f.Flags&1 != 0, Many: f.Flags&2 != 0, Data: b[:min(int(f.Data), len(b))],
	}
	for _, share := range f.Shares {
		if share.Packets > 0 {
			s.Shares = append(s.Shares, share)
		}
	}
	return s, b[len(s.Data):], true
}

// FuzzRestore restores what may be anything. It must come to no harm, cost no packet
// that was there, and whatever was kept can be read, saved, moved, and evicted.
func FuzzRestore(f *testing.F) {
	for seed := range uint64(3) {
		w := newWorld(seed, false)
		c := newCache(f, Options{Bytes: MinBytes, Bias: 2, Compress: true, Boot: func() int64 { return w.boot }})
		if seed == 2 {
			setRules(f, c, someRules...)
		}
		for n := range 40 + 400*seed { // with small packets, so that the input stays short
			w.pass()
			k := w.talks[n%12]
			data := k.appendTo(nil, !k.group && n%3 == 1, tcpACK, 60, n)
			clear(data[len(data)-10:])
			p := packet.Packet{Time: w.wall, Data: data, Interface: k.iface, OrigLen: uint32(60 + n%20/19*1000)}
			w.feed(c, []packet.Packet{p})
			if n%150 == 100 {
				c.sealAll()
			}
		}
		c.sealAll()
		for c.tendNext() {
		}
		saved := saveAll(f, c)
		state, err := json.Marshal(&saved.state)
		if err != nil {
			f.Fatal(err)
		}
		var input []byte
		for i := range saved.segments {
			if s := &saved.segments[i]; len(input)+len(s.Data) < 8000 {
				input = appendFuzzSegment(input, s)
			}
		}
		f.Add(state, input)
	}
	f.Fuzz(func(t *testing.T, stateJSON, input []byte) {
		var state record.State
		if json.Unmarshal(stateJSON, &state) != nil {
			return
		}
		w, c := worldly(t, 99, 30, Options{Bytes: MinBytes, Most: 2 * MinBytes})
		setRules(t, c, someRules[:2]...)
		live := showAll(t, c)
		before := c.Stats()
		r, err := c.NewRestorer(&state, time.Minute)
		if err != nil {
			return
		}
		for n := 0; n < 100; n++ {
			s, rest, ok := nextFuzzSegment(input)
			if !ok {
				break
			}
			input = rest
			data := bytes.Clone(s.Data)
			kept, err := r.Add(&s)
			if kept && err != nil {
				t.Fatalf("a segment is kept, with an error: %v", err)
			}
			if !bytes.Equal(s.Data, data) {
				t.Fatal("what it was given has been changed")
			}
			switch n {
			case 3:
				setRules(t, c, someRules[1:4]...)
			case 5:
				if err := c.Resize(2 * MinBytes); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.End()
		c.checkLogs(t)
		if s := c.Stats(); s.Restored.Packets > 0 && s.Held() != before.Held().plus(s.Restored).minus(s.Evicted) {
			t.Fatalf("%v held before, %v restored, %v evicted, %v held", before.Held(), s.Restored, s.Evicted, s.Held())
		}
		there := map[shown]int{}
		read := readAny(t, c)
		for _, p := range read {
			there[p]++
		}
		for _, p := range live {
			if there[p]--; there[p] < 0 {
				t.Fatal("a packet is gone that was there before")
			}
		}
		saver := c.NewSaver()
		var s record.Segment
		for saver.Next(&s) {
			table := saver.State().Tables[s.Table]
			if err := s.Check(func(id packet.InterfaceID) bool { return int(id) < len(table) }); err != nil {
				t.Fatalf("it is saved: %v", err)
			}
		}
		if err := c.Resize(MinBytes); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			w.pass()
			w.feed(c, []packet.Packet{w.next().p})
		}
		for c.locked(c.evict) {
		}
		_, stats := c.Interfaces()
		for id, s := range stats {
			if s.Stored() != (Count{}) {
				t.Fatalf("all was evicted, and of interface %d %v is left", id, s.Stored())
			}
		}
		for i := range c.tables {
			if c.tables[i].users != 0 {
				t.Fatalf("all was evicted, and table %d has %d users", i, c.tables[i].users)
			}
		}
	})
}

// readAny reads what can be read of a cache.
func readAny(t *testing.T, c *Cache) (all []shown) {
	r := c.NewReader()
	r.Begin(All)
	defer r.End()
	known, _ := c.Interfaces()
	last := int64(math.MinInt64)
	var p packet.Packet
	for r.Next(&p) {
		if p.Time < last {
			t.Fatalf("time goes back by %d ns", last-p.Time)
		}
		last = p.Time
		all = append(all, shown{p.Time, string(p.Data), p.OrigLen, known[p.Interface].Name, p.Direction})
	}
	return all
}
