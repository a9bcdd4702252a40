package cache

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/retention/week"
	"github.com/packetcache/packetcache/internal/session"
	"github.com/packetcache/packetcache/internal/trace"
)

// A crowd is many conversations with a cache that is large enough for an index.
type crowd struct {
	random *rand.Rand
	talks  []*talk
	c      *Cache
	now    int64
	calls  int
}

func newCrowd(t testing.TB, o Options) *crowd {
	random := rand.New(rand.NewPCG(9, 9))
	o.Bytes, o.Bias, o.Compress = max(o.Bytes, minIndexed), 2, true
	return &crowd{random, manyTalks(20000, random), newCache(t, o), 1.8e18, 0}
}

// say has n packets stored, now of many conversations and now of few, some of
// which were held before, some of text, and few of the link type that nobody can
// read. It leaves them as they are.
func (w *crowd) say(n int) {
	batch := make([]packet.Packet, 0, n)
	w.calls++
	change := []int{30, 2000}[w.calls/2%2]
	at := w.random.IntN(len(w.talks))
	for range n {
		w.now += w.random.Int64N(int64(10 * time.Millisecond))
		if w.random.IntN(change) == 0 {
			at = w.random.IntN(len(w.talks))
		}
		k := w.talks[max((at+w.random.IntN(20))%len(w.talks), 1)]
		if w.random.IntN(5000) == 0 {
			k = w.talks[0]
		}
		size := 60 + w.random.IntN(1400)
		if w.random.IntN(2000) == 0 {
			size = w.random.IntN(packet.MaxLen)
		}
		p := packet.Packet{Time: w.now, Interface: k.iface,
			Data: k.appendTo(nil, !k.group && w.random.IntN(2) == 0, tcpACK, size, uint64(w.now))}
		if w.calls/8%2 == 0 && len(p.Data) > 60 {
			text(p.Data[60:], int(k.n))
		}
		if w.random.IntN(50) == 0 {
			p.Time -= w.random.Int64N(int64(time.Second))
		}
		batch = append(batch, p)
	}
	w.c.replay(batch)
}

// tend indexes and compresses some segments, most of them in this order.
func (w *crowd) tend(n int) {
	for range n {
		if w.random.IntN(8) == 0 {
			w.c.compressNext()
		} else {
			w.c.indexNext()
		}
	}
}

// anyone is what a query for a conversation asks for.
func (w *crowd) anyone() [][]netip.Addr {
	host := func() netip.Addr {
		n := w.random.IntN(len(w.talks))
		return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
	}
	gate := netip.MustParseAddr("192.168.0.1")
	switch w.random.IntN(4) {
	case 0:
		return [][]netip.Addr{{host(), host()}}
	case 1:
		return [][]netip.Addr{{gate}, {host(), gate}, {host()}}
	}
	return [][]netip.Addr{{host()}}
}

// A copied packet is one that a reader delivered.
type copied struct {
	time int64
	data []byte
}

// read reads to the end and keeps the packets that have the addresses.
func read(c *Cache, r *Reader, sets [][]netip.Addr) (kept []copied, all int) {
	var p packet.Packet
	for r.Next(&p) {
		all++
		src, dst, _ := session.Addresses(c.links[p.Interface], p.Data)
		if !slices.ContainsFunc(sets, func(set []netip.Addr) bool { return !slices.Contains(set, src) && !slices.Contains(set, dst) }) {
			kept = append(kept, copied{p.Time, bytes.Clone(p.Data)})
		}
	}
	return kept, all
}

// compare has two readers read that began at the same time: one that wants
// everything must not have more of the addresses than one that wants those.
func (w *crowd) compare(t *testing.T, sets [][]netip.Addr, full, some *Reader) (saved bool) {
	t.Helper()
	want, all := read(w.c, full, sets)
	got, fewer := read(w.c, some, sets)
	if !slices.EqualFunc(got, want, func(a, b copied) bool { return a.time == b.time && bytes.Equal(a.data, b.data) }) {
		t.Fatalf("of %v there are %d packets, and %d were found", sets, len(want), len(got))
	}
	if full.Missing() != some.Missing() {
		t.Fatalf("of %v %d packets are said to be missing, of everything %d", sets, some.Missing(), full.Missing())
	}
	return fewer < all
}

func (w *crowd) begin(q Query) *Reader {
	r := w.c.NewReader()
	r.Begin(q)
	return r
}

// halfOfThem is a rule for every second session.
func halfOfThem(_ packet.LinkType, data []byte, _ uint32) bool {
	return len(data) > 30 && (data[29]+data[26])%2 == 0
}

// TestIndexLosesNothing: whatever has been indexed by then, whatever is moved or
// evicted meanwhile and however large the cache, who asks for addresses gets all
// packets that have them.
func TestIndexLosesNothing(t *testing.T) {
	rounds := 24
	if raceEnabled {
		rounds = 8
	}
	w := newCrowd(t, Options{Most: 2 * minIndexed})
	w.say(50000)
	saved := 0
	for round := range rounds {
		w.say(2000 + w.random.IntN(2000))
		w.tend(w.random.IntN(200))
		sets := w.anyone()
		full, some := w.begin(All), w.begin(Query{Since: All.Since, Until: All.Until, Addresses: sets})
		if round%2 == 0 {
			w.say(w.random.IntN(8000))
			w.tend(w.random.IntN(100))
		}
		if round%3 == 0 { // segments come to other logs
			if err := w.c.SetRules([]Rule{{"half", float64(1 + round%4), halfOfThem}}[:round%2]); err != nil {
				t.Fatal(err)
			}
		}
		if round%4 == 3 { // three of four times it is large enough
			if err := w.c.Resize(minIndexed * []int{5, 4, 3, 6}[round/4%4] / 4); err != nil {
				t.Fatal(err)
			}
		}
		if w.compare(t, sets, full, some) {
			saved++
		}
	}
	if s := w.c.Stats(); s.Evicted.Packets == 0 || saved < rounds/2 {
		t.Errorf("%d packets were evicted, and %d readers of %d read less", s.Evicted.Packets, saved, rounds)
	}
}

// TestIndexed: what is full has an index, what packets still come to has none.
func TestIndexed(t *testing.T) {
	w := newCrowd(t, Options{})
	w.talks = slices.DeleteFunc(w.talks, func(k *talk) bool { return k.link == linkUnknown })
	for round := range 30 {
		w.say(3000)
		if round%14 == 0 { // segments come to other logs
			if err := w.c.SetRules([]Rule{{"half", 2, halfOfThem}}[:round/14%2]); err != nil {
				t.Fatal(err)
			}
		}
		for w.c.tendNext() {
		}
	}
	sealed, compressed, small := 0, 0, 0
	for class := range w.c.logs {
		l := &w.c.logs[class]
		for slot := l.oldest; slot != noSegment; slot = w.c.segments.slots[slot].next {
			switch seg := &w.c.segments.slots[slot]; {
			case seg == l.head:
				if seg.index != 0 {
					t.Errorf("class %d: a segment has an index though it is not full", class)
				}
			case seg.index == 0 && seg.size <= maxSegment:
				t.Errorf("class %d: a segment that is full has no index", class)
			case seg.index == minBloom:
				small++
				fallthrough
			default:
				sealed++
				if seg.codec == record.Zstd {
					compressed++
				}
			}
		}
	}
	if compressed < sealed/10 || compressed > sealed*19/20 || small < sealed/10 || small > sealed*9/10 {
		t.Errorf("of %d segments %d are compressed, and the index of %d is small: that shows little", sealed, compressed, small)
	}
}

// TestIndexThatEvicts: the page that an index takes may have to be made free at
// the expense of the very segment that it is of.
func TestIndexThatEvicts(t *testing.T) {
	w := newCrowd(t, Options{})
	w.say(60000)
	index := bloom(make([]byte, maxBloom))
	for class := 0; ; class = (class + 1) % len(w.c.logs) {
		for w.c.pages.available() > 0 {
			w.c.pages.take()
		}
		slot := w.c.logs[class].oldest
		if slot == noSegment {
			continue
		}
		seg := &w.c.segments.slots[slot]
		before := *seg
		w.c.attach(&w.c.logs[class], slot, index)
		switch {
		case seg.seq == 0 && seg.pages == 0:
			return // it was the one
		case seg.seq != before.seq || seg.index != maxBloom:
			t.Fatalf("class %d: %+v is now %+v", class, before, *seg)
		}
	}
}

// TestIndexOfDays logs how much memory the index takes, and of what is there how
// much has to be read in vain for an address that was never there.
func TestIndexOfDays(t *testing.T) {
	if raceEnabled {
		t.Skip("takes too long under the race detector")
	}
	days := map[string]func(t *testing.T, c *Cache){
		"office": func(t *testing.T, c *Cache) { needOffice(t).replayTo(t, c) },
		"week":   replayWeek,
	}
	for name, replay := range days {
		t.Run(name, func(t *testing.T) {
			c, err := New(Options{Bytes: 40 << 20, Bias: 2, Compress: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			replay(t, c)
			random := rand.New(rand.NewPCG(2, 2))
			var strangers []uint64
			for range 1000 {
				strangers = append(strangers, hashAddress(c.compressor.seed, randomAddress(random)))
			}
			memory, pages, all, inVain := 0, 0, 0, 0
			for class := range c.logs {
				l := &c.logs[class]
				for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
					seg := &c.segments.slots[slot]
					if seg.index == 0 {
						continue // still open
					}
					pages += int(seg.pages)
					memory += int(seg.pages) - (seg.used()+pageSize-1)/pageSize // that it had to take
					for _, hash := range strangers {
						all += int(seg.size)
						if c.indexOf(seg).has(hash) {
							inVain += int(seg.size)
						}
					}
				}
			}
			share, wrong := 100*float64(memory)/float64(pages), 100*float64(inVain)/float64(all)
			t.Logf("it takes %.2f %% of the memory, and %.3f %% of what is there is read in vain", share, wrong)
			if share > 1 || wrong > 0.5 {
				t.Errorf("it takes %.2f %% of the memory, and %.3f %% of what is there is read in vain", share, wrong)
			}
		})
	}
}

// replayWeek has part of a made-up week pass through a cache.
func replayWeek(t *testing.T, c *Cache) {
	t.Helper()
	err := trace.Each(week.Week{Seed: 1, Days: 0.3}, func(interfaces []packet.Interface, packets []packet.Packet) error {
		_, err := c.Interface(interfaces[0])
		c.Replay(packets)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSmallCacheHasNoIndex: it would take from a small cache more than it gives.
func TestSmallCacheHasNoIndex(t *testing.T) {
	w := newCrowd(t, Options{})
	if err := w.c.Resize(minIndexed - 1); err != nil {
		t.Fatal(err)
	}
	w.say(20000)
	if w.c.indexNext() {
		t.Error("there is an index")
	}
	for w.c.compressNext() {
	}
	for slot := range w.c.segments.slots[:w.c.segments.touched] {
		if w.c.segments.slots[slot].index != 0 {
			t.Fatal("what was compressed has an index")
		}
	}
}

// TestIndexOfNonsense: what does not look like records may have any address.
func TestIndexOfNonsense(t *testing.T) {
	c := newCache(t, Options{Bytes: MinBytes, Compress: true})
	random := rand.New(rand.NewPCG(4, 4))
	for range 2000 {
		raw := make([]byte, random.IntN(200))
		for i := range raw {
			raw[i] = byte(random.Uint32() >> random.IntN(8))
		}
		for _, stamped := range []bool{false, true} {
			c.compressor.index(raw, stamped, c.links) // must not panic
		}
	}
	if c.compressor.index([]byte{0, 60, 0}, false, c.links) != nil {
		t.Error("half a header has addresses")
	}
}

// BenchmarkIndex is what indexing takes of the time of a processor.
func BenchmarkIndex(b *testing.B) {
	for name, size := range map[string]int{"100B": 100, "1400B": 1400} {
		b.Run(name, func(b *testing.B) {
			c := newCache(b, Options{Bytes: minIndexed, Compress: true})
			var records []byte
			n := 0
			for ; len(records) < maxSegment-2000; n++ {
				k := talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: uint32(n / 8)}
				p := packet.Packet{Data: k.appendTo(nil, n%2 == 0, tcpACK, size, uint64(n)), Time: int64(n) * 1000}
				var header [record.Room]byte
				records = append(records, header[:record.Put(header[:], &p, 0, record.Base{Time: p.Time - 1000, None: n == 0}, false)]...)
				records = append(records, p.Data...)
			}
			b.SetBytes(int64(len(records)))
			b.ReportAllocs()
			for b.Loop() {
				c.compressor.index(records, false, c.links)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/packet")
		})
	}
}
