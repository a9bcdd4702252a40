package cache

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// worldly is a cache with the packets of a world, as many as that.
func worldly(t testing.TB, seed uint64, n int, o Options) (*world, *Cache) {
	t.Helper()
	w := newWorld(seed, false)
	o.Bias, o.Boot = 2, func() int64 { return w.boot }
	c := newCache(t, o)
	for range n {
		w.pass()
		w.feed(c, []packet.Packet{w.next().p})
	}
	return w, c
}

// TestRestoreKeepsTheMostImportant: in a cache that is too small for all, what is
// kept is what the cache would have kept: nothing counts as older than what is not
// there, but for a jumbo packet's worth that found some room left.
func TestRestoreKeepsTheMostImportant(t *testing.T) {
	for seed := range uint64(4) {
		w, c := worldly(t, seed, 20000, Options{Bytes: 4 * smallBudget, Compress: seed%2 == 0})
		saved := saveAll(t, c)
		small := newCache(t, Options{Bytes: MinBytes + int(seed)*MinBytes/2, Bias: 2, Boot: func() int64 { return w.boot }})
		kept := saved.restoreAll(t, small, time.Minute)
		if kept < 20 || kept > len(saved.segments)*9/10 {
			t.Fatalf("%d of %d segments were kept: that tells nothing", kept, len(saved.segments))
		}
		small.checkLogs(t)
		s := small.Stats()
		checkStats(t, &s)

		type place struct {
			log    int
			newest int64
		}
		there := map[place]int{}
		small.each(func(log int, seg *segment) { there[place{log, seg.newest}]++ })
		rankOf := func(s *record.Segment) (rank, bool) {
			l := saved.state.Logs[s.Log]
			age := s.Newest + time.Minute
			r := rank{spared: s.Behind < small.protected, score: (float64(age) + 1) * math.Exp2(2*float64(l.Class))}
			at := place{l.Class, -int64(age)}
			if there[at] > 0 {
				there[at]--
				return r, true
			}
			return r, false
		}
		var gone []rank
		var left []rank
		var pages []int
		for i := range saved.segments {
			s := &saved.segments[i]
			if saved.state.Logs[s.Log].Unanswered {
				continue // they have a share of their own
			}
			if r, ok := rankOf(s); ok {
				left, pages = append(left, r), append(pages, (len(s.Data)+pageSize-1)/pageSize)
			} else {
				gone = append(gone, r)
			}
		}
		least := slices.MaxFunc(gone, func(a, b rank) int { // the one that should have gone last
			switch {
			case a.before(b):
				return -1
			case b.before(a):
				return 1
			}
			return 0
		})
		older := 0
		for i, r := range left {
			if r.before(least) {
				older += pages[i]
			}
		}
		if most := record.MaxSize/pageSize + 2*maxSegment/pageSize; older > most {
			t.Errorf("seed %d: %d pages are kept that should have gone before others, want %d at most", seed, older, most)
		}
		t.Logf("%d of %d segments kept, %d pages of them in luck", kept, len(saved.segments), older)
	}
}

// TestRestoreCostsNothingNew: packets that came before the restore, and while it
// goes on, are all there if they are among the newest, though the cache is full.
func TestRestoreCostsNothingNew(t *testing.T) {
	w, c := worldly(t, 5, 20000, Options{Bytes: 2 * smallBudget})
	saved := saveAll(t, c)
	w.boot += int64(time.Hour)
	full := newCache(t, Options{Bytes: MinBytes, Bias: 2, Boot: func() int64 { return w.boot }})
	var newest []packet.Packet
	bytesOf := func() (n int) {
		for i := range newest {
			n += len(newest[i].Data) + record.MaxHeader
		}
		return n
	}
	feed := func() {
		w.wall += int64(time.Millisecond)
		w.boot += int64(time.Millisecond)
		s := w.next()
		for len(s.p.Data) > 2048 {
			s = w.next()
		}
		w.feed(full, []packet.Packet{s.p})
		for newest = append(newest, s.p); bytesOf() > MinBytes/8; {
			newest = newest[1:]
		}
	}
	for range 6000 {
		feed()
	}
	r, err := full.NewRestorer(&saved.state, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := range saved.segments {
		for range 1 + i%3 {
			feed()
		}
		ok, err := r.Add(&saved.segments[i])
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			kept++
		}
	}
	r.End()
	there := map[string]bool{}
	for _, p := range showAll(t, full) {
		there[p.data] = true
	}
	for i := range newest {
		if !there[string(newest[i].Data)] {
			t.Errorf("packet %d of the newest %d is not there", i, len(newest))
		}
	}
	if kept == 0 || kept == len(saved.segments) {
		t.Errorf("%d of %d segments were kept: that tells nothing", kept, len(saved.segments))
	}
}

// TestRestoreInTheMiddle: what is promised before the end is what came in this run;
// a history that ends early is promised as far as it goes.
func TestRestoreInTheMiddle(t *testing.T) {
	w, c := worldly(t, 6, 3000, Options{Bytes: 4 * smallBudget})
	before := c.Stats()
	if _, complete := before.Promise(NumClasses - 1); !complete {
		t.Fatal("something was lost")
	}
	saved := saveAll(t, c)
	w.boot += int64(time.Hour)
	again := newCache(t, Options{Bytes: 4 * smallBudget, Bias: 2, Boot: func() int64 { return w.boot }})
	w.boot += int64(time.Second)
	r, err := again.NewRestorer(&saved.state, time.Hour+time.Second)
	if err != nil {
		t.Fatal(err)
	}
	cut := len(saved.segments) / 2
	for i := range saved.segments[:cut] {
		if _, err := r.Add(&saved.segments[i]); err != nil {
			t.Fatal(err)
		}
		s := again.Stats()
		if age, complete := s.Promise(NumClasses - 1); s.Age != time.Second || age != time.Second || !complete {
			t.Fatalf("in the middle, %v of a history of %v are promised, complete %v", age, s.Age, complete)
		}
	}
	r.End()
	r.End()
	s := again.Stats()
	if s.Age != before.Age+time.Hour+time.Second {
		t.Errorf("the history is %v long, it was %v an hour before", s.Age, before.Age)
	}
	whole, cuts := 0, 0
	for i, l := range saved.state.Logs {
		if l.Unanswered || l.Class == 0 {
			continue
		}
		came, last := 0, l.Newest
		for n := range saved.segments[:cut] {
			if saved.segments[n].Log == i {
				came, last = came+1, saved.segments[n].Newest
			}
		}
		want, complete := s.Age, true
		if came < l.Segments {
			want, complete = last+time.Hour+time.Second, false
			cuts++
		} else {
			whole++
		}
		if got := s.Classes[l.Class]; got.Horizon != want || got.Complete != complete {
			t.Errorf("class %d, of which %d segments came of %d, is promised for %v, complete %v; want %v, %v", l.Class, came, l.Segments, got.Horizon, got.Complete, want, complete)
		}
	}
	if whole == 0 || cuts == 0 {
		t.Errorf("%d logs came whole, %d in part: that tells nothing", whole, cuts)
	}
	if ok, err := r.Add(&saved.segments[cut]); ok || err != nil {
		t.Errorf("after the end a segment is kept: %v, %v", ok, err)
	}
	if _, err := again.NewRestorer(&saved.state, 0); err == nil {
		t.Error("a cache can be restored into twice")
	}
}

// TestRestoreKnowsInterfaces: what a live interface is called stays, others are
// known by their old description and have a number at the end.
func TestRestoreKnowsInterfaces(t *testing.T) {
	old := []packet.Interface{{Name: "unused"}, {Name: "eth0", Description: "old"}, {Name: "gone", Description: "a modem"}}
	for i := range old {
		old[i].LinkType = packet.LinkTypeEthernet
	}
	c := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2}, old...)
	for id := 1; id < 3; id++ {
		k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(id)}
		c.Append([]packet.Packet{{Time: int64(id), Data: k.appendTo(nil, false, 0, 100, 1), Interface: packet.InterfaceID(id)}})
	}
	saved := saveAll(t, c)
	now := packet.Interface{Name: "eth0", Description: "new", LinkType: packet.LinkTypeEthernet}
	again := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2}, now)
	saved.restoreAll(t, again, 0)
	got, stats := again.Interfaces()
	if len(got) != 2 || got[0].Description != "new" || got[1].Name != "gone" || got[1].Description != "a modem" {
		t.Errorf("%+v", got)
	}
	for i, s := range stats {
		if s.Restored.Packets != 1 || s.Stored() != s.Restored || s.Seen != (Count{}) {
			t.Errorf("interface %d: %+v", i, s)
		}
	}
	if id, err := again.Interface(packet.Interface{Name: "gone", Description: "it is back", LinkType: packet.LinkTypeEthernet}); id != 1 || err != nil {
		t.Errorf("one that comes back has number %d, %v", id, err)
	}
	if got, _ := again.Interfaces(); got[1].Description != "it is back" {
		t.Errorf("%+v", got[1])
	}
}

// TestTablesAreBounded: there can be so many tables of interfaces, and those that
// no segment names any more give way.
func TestTablesAreBounded(t *testing.T) {
	c := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2})
	list := make([]packet.Interface, 12)
	for i := range list {
		list[i] = packet.Interface{Name: string(rune('a' + i)), LinkType: packet.LinkTypeEthernet}
	}
	if _, err := c.Interface(list[0]); err != nil {
		t.Fatal(err)
	}
	shuffled := func(n int) []packet.Interface {
		random := rand.New(rand.NewPCG(1, uint64(n)))
		out := slices.Clone(list)
		random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	}
	for n := range maxTables - 1 {
		if number, ok := c.enter(shuffled(n)); !ok || int(number) != n+1 {
			t.Fatalf("table %d has number %d, %v", n, number, ok)
		}
	}
	if _, ok := c.enter(shuffled(1000)); ok {
		t.Error("there can be more tables than there are numbers")
	}
	if number, ok := c.enter(shuffled(7)); !ok || number != 8 {
		t.Errorf("one that is there has number %d, %v", number, ok)
	}
	c.leaveTable(8)
	c.leaveTable(8)
	if number, ok := c.enter(shuffled(1000)); !ok || number != 8 {
		t.Errorf("one in place of another has number %d, %v", number, ok)
	}
	if number, ok := c.enter(slices.Concat(list[:1], []packet.Interface{{}, {}})); !ok || number != 0 {
		t.Errorf("one that is the cache's own has number %d, %v", number, ok)
	}
	many := slices.Concat(make([]packet.Interface, maxInterfaces), list[1:2], list[:1])
	if number, ok := c.enter(many); ok {
		t.Errorf("%d numbers in all, and one of so many more has number %d", (maxTables-1)*len(list), number)
	}
}

// TestRestoredHostIsFound: segments that were restored have an index once they have
// been looked at, so that a reader who wants one host passes over nearly all.
func TestRestoredHostIsFound(t *testing.T) {
	w := newCrowd(t, Options{})
	for range 40 {
		w.say(1000)
	}
	for w.c.tendNext() {
	}
	saved := saveAll(t, w.c)
	reversed := slices.Clone(interfaces)
	slices.Reverse(reversed)
	again := newCacheOf(t, Options{Bytes: minIndexed, Bias: 2, Compress: true}, reversed...)
	again.compressor.mu.Lock() // nobody looks meanwhile
	kept := saved.restoreAll(t, again, 0)
	again.mu.Lock()
	for i := range again.logs {
		again.logs[i].raw = noSegment // so that there is nothing to compress
	}
	again.mu.Unlock()
	urgent, found := again.compressible()
	again.compressor.mu.Unlock()
	if kept != len(saved.segments) {
		t.Fatalf("%d of %d segments kept", kept, len(saved.segments))
	}
	if !urgent || !found {
		t.Errorf("to look at what was restored is urgent: %v, found: %v", urgent, found)
	}
	for again.tendNext() {
	}
	if _, found := again.compressible(); found {
		t.Error("there is still something to do")
	}
	if len(again.tables) != 2 {
		t.Fatalf("%d tables", len(again.tables))
	}
	indexed, all := 0, 0
	again.each(func(_ int, seg *segment) {
		if all++; seg.index > 0 {
			indexed++
		}
		if seg.restored && seg.size <= maxSegment {
			t.Errorf("a segment of %d bytes has not been looked at", seg.size)
		}
	})
	if indexed < all*3/4 {
		t.Errorf("%d of %d segments have an index", indexed, all)
	}
	var host netip.Addr // of some packet in the middle
	r := w.c.NewReader()
	r.Begin(Query{Since: w.now - int64(100*time.Second), Until: math.MaxInt64})
	for p := (packet.Packet{}); !host.Is4() && r.Next(&p); {
		host, _, _ = session.Addresses(w.c.links[p.Interface], p.Data)
	}
	r.End()
	sets := [][]netip.Addr{{host}}
	want, _ := readFor(w.c, All, sets)
	full, _ := readFor(again, All, sets)
	got, passed := readFor(again, Query{Since: All.Since, Until: All.Until, Addresses: sets}, sets)
	_, everything := readFor(again, All, nil)
	same := func(a, b copied) bool { return a.time == b.time && bytes.Equal(a.data, b.data) }
	if len(want) == 0 || !slices.EqualFunc(got, want, same) || !slices.EqualFunc(full, want, same) {
		t.Errorf("%d packets before, %d after, %d found", len(want), len(full), len(got))
	}
	if passed > everything/2 {
		t.Errorf("%d packets of %d had to be read for %d", passed, everything, len(want))
	}
}

// readFor reads with a query and keeps the packets that have the addresses.
func readFor(c *Cache, q Query, sets [][]netip.Addr) (kept []copied, all int) {
	r := c.NewReader()
	r.Begin(q)
	defer r.End()
	return read(c, r, sets)
}

// TestRestoredIsNotWhatItSays: frames that hold something else are found out when
// they are unpacked, by a reader or behind its back, cost nothing else, and are told.
func TestRestoredIsNotWhatItSays(t *testing.T) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithSingleSegment(true))
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, looked := range []bool{false, true} {
		w, c := worldly(t, 8, 12000, Options{Bytes: minIndexed, Compress: true})
		for c.tendNext() {
		}
		saved := saveAll(t, c)
		want := showAll(t, c)
		broken, lost := 0, 0
		for i := range saved.segments {
			s := &saved.segments[i]
			if s.Codec != record.Zstd || i%3 > 0 {
				continue
			}
			tallies := s.Data[:s.Tallies*record.TallySize]
			raw, err := decoder.DecodeAll(s.Data[len(tallies):], nil)
			if err != nil {
				t.Fatal(err)
			}
			switch broken % 3 {
			case 0: // interface 0xffff
				raw[0] |= 0x08
				raw[3+1+int(raw[0]>>4&7)], raw[3+2+int(raw[0]>>4&7)] = 0xff, 0xff
			case 1:
				clear(raw)
			case 2: // a packet of another time
				raw[10] ^= 0x80
			}
			s.Data = encoder.EncodeAll(raw, slices.Clone(tallies))
			broken++
			lost += s.Records
		}
		var told []string
		again := newCache(t, Options{
			Bytes: minIndexed, Bias: 2, Compress: true, Boot: func() int64 { return w.boot },
			Damaged: func(err error) { told = append(told, err.Error()) },
		})
		again.compressor.mu.Lock() // it is to look when it is told to
		saved.restoreAll(t, again, 0)
		if looked {
			again.compressor.mu.Unlock()
			for again.tendNext() {
			}
		}
		r := again.NewReader()
		r.Begin(All)
		got := len(times(r))
		r.End()
		if !looked {
			again.compressor.mu.Unlock()
		}
		s := again.Stats()
		if broken < 4 || got != len(want)-lost || len(told) != broken || s.Damaged.Packets != uint64(lost) {
			t.Errorf("looked at: %v. %d segments of %d with %d packets are not what they say; %d of %d packets were read, %d damaged, told: %s",
				looked, broken, len(saved.segments), lost, got, len(want), s.Damaged.Packets, strings.Join(told, "; "))
		}
	}
}

// TestRestoreOfNonsense: segments that cannot be are refused, and each counts as
// lost; what is whole is kept.
func TestRestoreOfNonsense(t *testing.T) {
	_, c := worldly(t, 9, 5000, Options{Bytes: smallBudget, Compress: true})
	for c.tendNext() {
	}
	saved := saveAll(t, c)
	find := func(codec record.Codec, many bool) int {
		return slices.IndexFunc(saved.segments, func(s record.Segment) bool { return s.Codec == codec && s.Many == many })
	}
	raw, packed, many := find(record.Raw, false), find(record.Zstd, false), find(record.Zstd, true)
	for name, test := range map[string]struct {
		at     int
		change func(*record.Segment)
	}{
		"no such log":           {raw, func(s *record.Segment) { s.Log = len(saved.state.Logs) }},
		"a log before all":      {raw, func(s *record.Segment) { s.Log = -1 }},
		"no such table":         {raw, func(s *record.Segment) { s.Table = len(saved.state.Tables) }},
		"no records":            {raw, func(s *record.Segment) { s.Records = 0 }},
		"a record too many":     {raw, func(s *record.Segment) { s.Records++; s.Shares[0].Packets++ }},
		"too many records":      {packed, func(s *record.Segment) { s.Records = record.MaxRecords + 1 }},
		"a codec of tomorrow":   {raw, func(s *record.Segment) { s.Codec = 7 }},
		"cut":                   {raw, func(s *record.Segment) { s.Data = s.Data[:len(s.Data)-1] }},
		"of negative age":       {raw, func(s *record.Segment) { s.Newest = -1 }},
		"newer than its log":    {raw, func(s *record.Segment) { s.Newest = saved.state.Logs[s.Log].Newest - 1 }},
		"larger than a segment": {packed, func(s *record.Segment) { s.Data = make([]byte, record.MaxPacked+1) }},
		"of another interface":  {raw, func(s *record.Segment) { s.Shares[0].Interface = 77 }},
		"shares of more":        {packed, func(s *record.Segment) { s.Shares[0].Packets++ }},
		"no shares":             {packed, func(s *record.Segment) { s.Shares = nil }},
		"tallies of less":       {many, func(s *record.Segment) { s.Data[4]++ }},
		"tallies of nobody":     {many, func(s *record.Segment) { s.Data[1] = 0xff }},
		"no tallies":            {many, func(s *record.Segment) { s.Data, s.Tallies = s.Data[s.Tallies*8:], 0 }},
		"tallies only":          {many, func(s *record.Segment) { s.Data = s.Data[:s.Tallies*8] }},
		"not a frame":           {packed, func(s *record.Segment) { s.Data[0]++ }},
		"a frame of more":       {packed, func(s *record.Segment) { s.Size++ }},
		"out of its times":      {raw, func(s *record.Segment) { s.MaxTime = s.MinTime - 1 }},
		"not in order": {raw, func(s *record.Segment) {
			s.Disordered = false
			s.MinTime, s.MaxTime = math.MinInt64, math.MaxInt64
			s.Data = slices.Concat(s.Data, s.Data)
			s.Size, s.Records, s.Captured = 2*s.Size, 2*s.Records, 2*s.Captured
			for i := range s.Shares {
				s.Shares[i].Packets, s.Shares[i].Bytes = 2*s.Shares[i].Packets, 2*s.Shares[i].Bytes
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			again := newCache(t, Options{Bytes: smallBudget, Bias: 2})
			r, err := again.NewRestorer(&saved.state, 0)
			if err != nil {
				t.Fatal(err)
			}
			packets := 0
			for i := range saved.segments {
				s := copySegment(&saved.segments[i])
				if i == test.at {
					test.change(&s)
				}
				kept, err := r.Add(&s)
				if kept != (err == nil) || kept == (i == test.at) {
					t.Fatalf("segment %d is kept: %v, %v", i, kept, err)
				}
				if err != nil {
					t.Log(err)
				} else {
					packets += s.Records
				}
			}
			r.End()
			again.checkLogs(t)
			if got := len(showAll(t, again)); got != packets {
				t.Errorf("%d packets were restored, and %d are there", packets, got)
			}
			if log := saved.state.Logs[saved.segments[test.at].Log]; !log.Unanswered && log.Class > 0 {
				if s := again.Stats(); s.Classes[log.Class].Complete {
					t.Errorf("class %d is complete without it", log.Class)
				}
			}
		})
	}
}

// TestStateOfNonsense: a state that cannot be is refused.
func TestStateOfNonsense(t *testing.T) {
	age := -time.Second
	good := record.Log{Factor: 1, Segments: 1}
	with := func(change func(*record.Log)) record.State {
		l := good
		change(&l)
		return record.State{Logs: []record.Log{l}}
	}
	c := newCache(t, Options{Bytes: MinBytes, Bias: 2})
	for name, s := range map[string]record.State{
		"of negative age":          {Age: age},
		"too many tables":          {Tables: make([][]packet.Interface, maxTables+1)},
		"too many interfaces":      {Tables: [][]packet.Interface{make([]packet.Interface, maxInterfaces+1)}},
		"too many rules":           {Rules: make([]record.Rule, MaxRules+1)},
		"a rule of no factor":      {Rules: []record.Rule{{Factor: math.NaN()}}},
		"a rule of too much":       {Rules: []record.Rule{{Factor: math.Inf(1)}}},
		"a rule of tomorrow":       {Rules: []record.Rule{{Factor: 1, Since: age}}},
		"a class too high":         with(func(l *record.Log) { l.Class = NumClasses }),
		"a class too low":          with(func(l *record.Log) { l.Class = -1 }),
		"a negative factor":        with(func(l *record.Log) { l.Factor = -1 }),
		"less than no segments":    with(func(l *record.Log) { l.Segments = -1 }),
		"a log of tomorrow":        with(func(l *record.Log) { l.Newest = age }),
		"lost tomorrow":            with(func(l *record.Log) { l.Lost = &age }),
		"left behind tomorrow":     with(func(l *record.Log) { l.LeftBehind = &age }),
		"a span the wrong way":     with(func(l *record.Log) { l.Late = &record.Span{Newest: time.Second} }),
		"unanswered of some class": with(func(l *record.Log) { l.Unanswered, l.Class = true, 2 }),
	} {
		if _, err := c.NewRestorer(&s, 0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s := record.State{Age: math.MaxInt64, Logs: []record.Log{good}}
	r, err := c.NewRestorer(&s, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	r.End()
	if s := c.Stats(); s.Age < 70*365*24*time.Hour {
		t.Errorf("a cache older than any is %v old", s.Age)
	}
}

// TestRestoredForecast: how far back another budget would reach is told as before,
// from what earlier runs have seen.
func TestRestoredForecast(t *testing.T) {
	w, c := worldly(t, 14, 20000, Options{Bytes: smallBudget})
	before := c.Stats()
	saved := saveAll(t, c)
	again := newCache(t, Options{Bytes: smallBudget, Bias: 2, Boot: func() int64 { return w.boot }})
	saved.restoreAll(t, again, 0)
	after := again.Stats()
	if before.Evicted.Packets == 0 || after.Before != before.Evicted {
		t.Fatalf("%v evicted, %v known of later", before.Evicted, after.Before)
	}
	for _, bytes := range []int{smallBudget / 2, smallBudget, 3 * smallBudget} {
		a, _ := before.Forecast(2, bytes, LongRun)
		b, ok := after.Forecast(2, bytes, LongRun)
		for class := range NumClasses {
			if r := b.Promise(class).Seconds() / a.Promise(class).Seconds(); !ok || r < 0.95 || r > 1.05 {
				t.Errorf("%d bytes, class %d: %v before, %v after", bytes, class, a.Promise(class), b.Promise(class))
			}
		}
		if r := b.Unanswered.Seconds() / a.Unanswered.Seconds(); r < 0.95 || r > 1.05 {
			t.Errorf("%d bytes: unanswered packets %v before, %v after", bytes, a.Unanswered, b.Unanswered)
		}
	}
}
