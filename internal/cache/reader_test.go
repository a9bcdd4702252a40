package cache

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A tape appends packets to a cache and lists their times.
type tape struct {
	c    *Cache
	now  int64
	boot int64
}

func newTape(t testing.TB, o Options) *tape {
	tp := &tape{now: 1.8e18}
	o.Boot = func() int64 { return tp.boot }
	tp.c = newCache(t, o)
	return tp
}

// add appends a packet a millisecond after the one before.
func (tp *tape) add(k *talk, fromB bool, size int) packet.Packet {
	tp.now += int64(time.Millisecond)
	tp.boot += int64(time.Millisecond)
	p := packet.Packet{Time: tp.now, Data: k.appendTo(nil, fromB, tcpACK, size, uint64(tp.now)), Interface: k.iface}
	tp.c.Append([]packet.Packet{p})
	return p
}

func times(r *Reader) (all []int64) {
	var p packet.Packet
	for r.Next(&p) {
		all = append(all, p.Time)
	}
	return all
}

// TestReadersAroundPromotion: a session's first packet moves to class 0 with
// the second. Every reader shows it once: one that began before from where it
// was, one that began later from where it is.
func TestReadersAroundPromotion(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	k := &talk{link: packet.LinkTypeEthernet, proto: ipTCP}
	other := &talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: 1}
	var readers []*Reader
	var want [][]int64
	var seen []int64
	begin := func() {
		r := tp.c.NewReader()
		r.Begin(All)
		readers, want = append(readers, r), append(want, seen[:len(seen):len(seen)])
	}
	begin()
	seen = append(seen, tp.add(k, false, 80).Time)
	begin()
	seen = append(seen, tp.add(other, false, 80).Time)
	begin()
	seen = append(seen, tp.add(k, true, 80).Time)
	begin()
	seen = append(seen, tp.add(other, true, 80).Time)
	begin()
	for i, r := range readers {
		got := times(r)
		if len(got) != len(want[i]) || r.Missing() != 0 {
			t.Errorf("reader %d shows %d packets of %d, %d missing", i, len(got), len(want[i]), r.Missing())
		}
		for j := range got {
			if got[j] != want[i][j] {
				t.Errorf("reader %d shows %v, want %v", i, got, want[i])
				break
			}
		}
	}
	if s := tp.c.Stats(); s.Unanswered.Held.Packets != 0 || s.Classes[0].Held.Packets != 4 {
		t.Errorf("%d unanswered, %d in class 0", s.Unanswered.Held.Packets, s.Classes[0].Held.Packets)
	}
}

// TestReaderQueries: both bounds are inclusive, in order and out of it.
func TestReaderQueries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	var all []int64
	for range 3000 {
		if random.IntN(10) == 0 {
			tp.now -= random.Int64N(5e6)
		}
		all = append(all, tp.add(k, random.IntN(2) == 0, 60+random.IntN(500)).Time)
	}
	r := tp.c.NewReader()
	for range 200 {
		a, b := all[random.IntN(len(all))]+random.Int64N(3)-1, all[random.IntN(len(all))]+random.Int64N(3)-1
		q := Query{Since: a, Until: b}
		switch random.IntN(8) {
		case 0:
			q.Since = math.MinInt64
		case 1:
			q.Until = math.MaxInt64
		}
		want := 0
		for _, at := range all {
			if at >= q.Since && at <= q.Until {
				want++
			}
		}
		r.Begin(q)
		got := times(r)
		for i, at := range got {
			if at < q.Since || at > q.Until || i > 0 && at < got[i-1] {
				t.Fatalf("%v: packet %d has time %d", q, i, at)
			}
		}
		if len(got) != want || r.Missing() != 0 {
			t.Errorf("%v: %d packets, %d missing, want %d", q, len(got), r.Missing(), want)
		}
		if random.IntN(3) == 0 { // one that stops halfway
			var p packet.Packet
			r.Begin(All)
			for range random.IntN(1000) {
				r.Next(&p)
			}
			r.End()
			if r.Next(&p) {
				t.Fatal("a reader goes on behind End")
			}
		}
	}
}

// TestReaderMisses fills the cache again and again while a reader stands
// still: it ends cleanly, shows what it can, and counts the rest.
func TestReaderMisses(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	fill := func() {
		for range 20000 {
			tp.add(k, false, 1000)
		}
	}
	fill()
	s := tp.c.Stats()
	held := s.Held().Packets
	for _, ahead := range []int{0, 1, 100, 1000} {
		r := tp.c.NewReader()
		r.Begin(All)
		var p packet.Packet
		for range ahead {
			if !r.Next(&p) {
				t.Fatal("the end is early")
			}
		}
		fill()
		rest := len(times(r))
		s := tp.c.Stats()
		if got := uint64(ahead+rest) + r.Missing(); got != held {
			t.Errorf("%d packets ahead of the eviction, %d behind, %d missing: %d, want %d", ahead, rest, r.Missing(), got, held)
		}
		if r.Missing() == 0 {
			t.Error("the cache was filled over and nothing is missing")
		}
		held = s.Held().Packets
	}
}

// TestReaderTies: packets with one time come out as they came in, whatever
// classes they went to. (A megabyte of them: more may be more segments than a
// reader merges at once.)
func TestReaderTies(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	var batch []packet.Packet
	talks := manyTalks(50, rand.New(rand.NewPCG(2, 2)))
	for i := range 1500 {
		k := talks[i*i%50]
		size := 64 + i%1000
		data := k.appendTo(nil, !k.group && i%3 == 0, tcpACK, size, uint64(i))
		batch = append(batch, packet.Packet{Time: 1.8e18, Data: data, OrigLen: 1<<17 + uint32(i), Interface: k.iface})
	}
	tp.c.Append(batch)
	r := tp.c.NewReader()
	r.Begin(All)
	var p packet.Packet
	n := uint32(0)
	for ; r.Next(&p); n++ {
		if p.OrigLen != 1<<17+n {
			t.Fatalf("packet %d comes out as number %d", p.OrigLen-1<<17, n)
		}
	}
	if n != 1500 {
		t.Errorf("%d packets", n)
	}
}

// TestReaderMemory: beginning again allocates nothing more.
func TestReaderMemory(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	random := rand.New(rand.NewPCG(3, 3))
	talks := manyTalks(50, random)
	for range 20000 {
		k := talks[random.IntN(50)]
		tp.add(k, false, 60+random.IntN(1400))
	}
	r := tp.c.NewReader()
	var p packet.Packet
	if n := testing.AllocsPerRun(5, func() {
		r.Begin(All)
		for r.Next(&p) {
		}
	}); n > 1 {
		t.Errorf("%v allocations to read the cache once more", n)
	}
}

// TestMissingInTheMiddle: what a reader has not come to is not missing, unless it
// has been evicted.
func TestMissingInTheMiddle(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	talks := manyTalks(50, newWorld(4, false).random)
	add := func(bytes int) {
		for n := 0; n < bytes; n += 1000 {
			tp.add(talks[n/1000%len(talks)], n%3000 == 0, 1000)
		}
	}
	add(MinBytes / 2)
	r := tp.c.NewReader()
	defer r.End()
	s := tp.c.Stats()
	held := s.Held().Packets
	for part := range 4 {
		r.Begin(All)
		var p packet.Packet
		for range uint64(part) * held / 3 {
			r.Next(&p)
		}
		if missing := r.Missing(); missing != 0 {
			t.Errorf("after %d thirds of %d packets %d are missing, though nothing was evicted", part, held, missing)
		}
	}
	r.Begin(All)
	add(4 * MinBytes)
	early := r.Missing()
	read := uint64(len(times(r)))
	if late := r.Missing(); early == 0 || late != held-read || early > late {
		t.Errorf("of %d packets %d were missing before the first was read and %d in the end, when %d had been read", held, early, late, read)
	}
}
