package cache

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A saving is all that a Saver gives out.
type saving struct {
	state    record.State
	segments []record.Segment
}

// copySegment copies what belongs to the Saver.
func copySegment(s *record.Segment) record.Segment {
	out := *s
	out.Data, out.Shares = slices.Clone(s.Data), slices.Clone(s.Shares)
	return out
}

// saveAll saves a cache as a file would: the state goes through JSON.
func saveAll(t testing.TB, c *Cache) *saving {
	t.Helper()
	saver := c.NewSaver()
	s := &saving{state: throughJSON(t, saver.State())}
	var seg record.Segment
	for saver.Next(&seg) {
		s.segments = append(s.segments, copySegment(&seg))
	}
	if saver.Missed() != 0 {
		t.Fatalf("%d packets were missed of a cache that stands still", saver.Missed())
	}
	s.check(t)
	return s
}

func throughJSON(t testing.TB, state *record.State) (out record.State) {
	t.Helper()
	b, err := json.Marshal(state)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// check sees that the segments are what the state says, in their order.
func (s *saving) check(t testing.TB) {
	t.Helper()
	type sum struct {
		segments       int
		packets, bytes uint64
	}
	sums := make([]sum, len(s.state.Logs))
	log, newest := -1, time.Duration(0)
	for i := range s.segments {
		seg := &s.segments[i]
		if seg.Log < log || seg.Log == log && seg.Newest < newest {
			t.Fatalf("a segment of log %d, %v old, after one of log %d, %v old", seg.Log, seg.Newest, log, newest)
		}
		if seg.Log != log && seg.Newest != s.state.Logs[seg.Log].Newest {
			t.Fatalf("log %d begins with a segment of %v, and was to begin with one of %v", seg.Log, seg.Newest, s.state.Logs[seg.Log].Newest)
		}
		log, newest = seg.Log, seg.Newest
		table := s.state.Tables[seg.Table]
		if err := seg.Check(func(id packet.InterfaceID) bool { return int(id) < len(table) && table[id].Name != "" }); err != nil {
			t.Fatalf("segment %d, of log %d: %v", i, seg.Log, err)
		}
		sums[log].segments++
		sums[log].packets += uint64(seg.Records)
		sums[log].bytes += seg.Captured
	}
	for i, l := range s.state.Logs {
		if (sums[i] != sum{l.Segments, l.Packets, l.Bytes}) {
			t.Fatalf("log %d, of class %d, is to have %d segments with %d packets of %d bytes, and has %v", i, l.Class, l.Segments, l.Packets, l.Bytes, sums[i])
		}
	}
}

// restoreAll puts a saving into a cache, and returns how many segments were kept.
func (s *saving) restoreAll(t testing.TB, c *Cache, away time.Duration) (kept int) {
	t.Helper()
	r, err := c.NewRestorer(&s.state, away)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.segments {
		seg := copySegment(&s.segments[i])
		ok, err := r.Add(&seg)
		if err != nil {
			t.Fatal(err)
		}
		clear(seg.Data) // it is the Restorer's no longer
		if ok {
			kept++
		}
	}
	r.End()
	return kept
}

// A shown is all that a dump shows of a packet.
type shown struct {
	time  int64
	data  string
	wire  uint32
	iface string
	dir   packet.Direction
}

// showAll reads all of a cache. Packets of one time are sorted, since which came
// first in another run is not kept.
func showAll(t testing.TB, c *Cache) (all []shown) {
	t.Helper()
	r := c.NewReader()
	r.Begin(All)
	defer r.End()
	known, _ := c.Interfaces()
	var batch [64]packet.Packet
	for n := r.Read(batch[:]); n > 0; n = r.Read(batch[:]) {
		for _, p := range batch[:n] {
			all = append(all, shown{p.Time, string(p.Data), p.OrigLen, known[p.Interface].Name, p.Direction})
		}
	}
	if r.Missing() != 0 {
		t.Fatalf("%d packets are missing of a cache that stands still", r.Missing())
	}
	byTime := func(a, b shown) int { return cmp.Compare(a.time, b.time) }
	if !slices.IsSortedFunc(all, byTime) {
		t.Fatal("packets are not in the order of time")
	}
	slices.SortFunc(all, func(a, b shown) int { return cmp.Or(byTime(a, b), cmp.Compare(a.data, b.data)) })
	return all
}

// newCacheOf makes a cache that knows some interfaces.
func newCacheOf(t testing.TB, o Options, list ...packet.Interface) *Cache {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	for _, i := range list {
		if _, err := c.Interface(i); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestSaveAndRestore: a cache that is saved and restored shows the same packets,
// makes the same promises, and gives the same when it is saved once more.
func TestSaveAndRestore(t *testing.T) {
	reversed := slices.Clone(interfaces)
	slices.Reverse(reversed)
	for name, test := range map[string]struct {
		replay, compress, rules bool
		now                     []packet.Interface
	}{
		"live": {now: interfaces},
		"compressed, interfaces in another order": {compress: true, now: reversed},
		"replay, compressed, no interfaces yet":   {replay: true, compress: true},
		"with rules, compressed, one interface":   {rules: true, compress: true, now: interfaces[3:4]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(11, test.replay)
			c := w.newCache(t, test.compress)
			if test.rules {
				setRules(t, c, someRules...)
			}
			for range 20000 {
				w.pass()
				w.feed(c, []packet.Packet{w.next().p})
			}
			saved := saveAll(t, c)
			before, want := c.Stats(), showAll(t, c)

			const away = 3 * time.Hour
			w.boot += int64(away)
			o := Options{Compress: test.compress, Bytes: MinBytes, Most: 4 * smallBudget, Bias: 2, Boot: func() int64 { return w.boot }}
			again := newCacheOf(t, o, test.now...)
			if test.rules {
				setRules(t, again, someRules...)
			}
			if kept := saved.restoreAll(t, again, away); kept != len(saved.segments) {
				t.Errorf("%d of %d segments kept", kept, len(saved.segments))
			}
			again.checkLogs(t)
			if got := showAll(t, again); !slices.Equal(got, want) {
				t.Errorf("%d packets before, %d after, and not the same", len(want), len(got))
			}
			after := again.Stats()
			checkStats(t, &after)
			compareRestored(t, &before, &after, away)
			compareSegments(t, saved.segments, saveAll(t, again).segments, away)
		})
	}
}

// compareSegments compares what was saved with what is saved of it again, in
// which what waited stands with what waited in vain.
func compareSegments(t *testing.T, a, b []record.Segment, away time.Duration) {
	t.Helper()
	byTime := func(a, b record.Segment) int {
		return cmp.Or(cmp.Compare(a.MinTime, b.MinTime), cmp.Compare(a.MaxTime, b.MaxTime), cmp.Compare(a.Records, b.Records), cmp.Compare(a.Size, b.Size))
	}
	slices.SortFunc(a, byTime)
	slices.SortFunc(b, byTime)
	if len(a) != len(b) {
		t.Fatalf("%d segments at first, %d when saved again", len(a), len(b))
	}
	for i := range a {
		a, b := &a[i], &b[i]
		// It may count as younger, since no older one of its log does.
		same := b.Newest <= a.Newest+away && a.Behind == b.Behind && a.Records == b.Records && a.Size == b.Size && a.Disordered == b.Disordered
		if a.Codec == b.Codec { // else it has been compressed since
			same = same && slices.Equal(a.Data, b.Data)
		}
		if !same {
			t.Fatalf("%d records of %d bytes, %v old, %d behind; saved again, %d of %d, %v old, %d behind",
				a.Records, a.Size, a.Newest, a.Behind, b.Records, b.Size, b.Newest, b.Behind)
		}
	}
}

// compareRestored holds the figures of a cache against those of the one that was
// restored into it.
func compareRestored(t *testing.T, before, after *Stats, away time.Duration) {
	t.Helper()
	if after.Age != before.Age+away {
		t.Errorf("the history is %v long, and was %v long %v ago", after.Age, before.Age, away)
	}
	if after.Held() != before.Held() || after.Restored != before.Held() || after.Oldest > before.Oldest || after.Newest < before.Newest {
		t.Errorf("%v held from %d to %d, %v restored; before, %v held from %d to %d",
			after.Held(), after.Oldest, after.Newest, after.Restored, before.Held(), before.Oldest, before.Newest)
	}
	if after.Before != before.Evicted || after.Evicted != (Count{}) {
		t.Errorf("%v evicted before, %v now; it was %v", after.Before, after.Evicted, before.Evicted)
	}
	for class := range NumClasses {
		a, aComplete := before.PromiseAnswered(class)
		b, bComplete := after.PromiseAnswered(class)
		if a+away != b || aComplete != bComplete {
			t.Errorf("class %d is promised for %v, complete %v; before %v, %v", class, b, bComplete, a, aComplete)
		}
	}
	for i := range before.Rules {
		for class := range NumClasses {
			a, aComplete := before.PromiseOf(&before.Rules[i], class)
			b, bComplete := after.PromiseOf(&after.Rules[i], class)
			if before.Rules[i].Factor > 0 && (a+away != b || aComplete != bComplete) {
				t.Errorf("rule %q, class %d is promised for %v, complete %v; before %v, %v", before.Rules[i].Filter, class, b, bComplete, a, aComplete)
			}
		}
	}
}

// TestSaveWhilePacketsCome: a Saver gives out what was there when it was made, each
// packet once, however they move meanwhile; what was evicted first is counted.
func TestSaveWhilePacketsCome(t *testing.T) {
	for seed := range uint64(6) {
		w, c := worldly(t, seed, 6000, Options{Bytes: MinBytes, Most: smallBudget, Compress: seed%2 == 0})
		there := map[shown]int{}
		for _, p := range showAll(t, c) {
			there[p]++
		}
		saver := c.NewSaver()
		state := throughJSON(t, saver.State())
		var got, all int
		for _, n := range there {
			all += n
		}
		packets := uint64(0)
		for _, l := range state.Logs {
			packets += l.Packets
		}
		if packets != uint64(all) {
			t.Fatalf("%d packets are to be saved, %d are there", packets, all)
		}
		var s record.Segment
		log, newest := -1, time.Duration(0)
		for saver.Next(&s) {
			if s.Log < log || s.Log == log && s.Newest < newest {
				t.Fatalf("a segment of log %d and %v after one of %d and %v", s.Log, s.Newest, log, newest)
			}
			log, newest = s.Log, s.Newest
			table := state.Tables[s.Table]
			if err := s.Check(func(id packet.InterfaceID) bool { return int(id) < len(table) && table[id].Name != "" }); err != nil {
				t.Fatal(err)
			}
			for _, p := range recordsOf(t, &state, &s) {
				p.wire = max(p.wire, uint32(len(p.data)))
				if there[p]--; there[p] < 0 {
					t.Fatalf("a packet of %d bytes and time %d was not there, or is saved twice", len(p.data), p.time)
				}
				got++
			}
			for range w.random.IntN(8 * int(1+seed/2)) {
				w.pass()
				w.feed(c, []packet.Packet{w.next().p})
			}
			if seed%2 == 0 {
				c.compressNext()
			}
			switch w.random.IntN(40) {
			case 0:
				if err := c.SetRules([]Rule{every("some", 1+w.random.Float64(), 3, 1)}); err != nil {
					t.Fatal(err)
				}
			case 1:
				if err := c.Resize(MinBytes + w.random.IntN(MinBytes)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if uint64(got)+saver.Missed() != uint64(all) || got < all/10 {
			t.Errorf("seed %d: %d packets of %d were saved, and %d are said to have been missed", seed, got, all, saver.Missed())
		}
		if seed == 5 && saver.Missed() == 0 {
			t.Error("none was evicted before it was saved: that tells little")
		}
		t.Logf("%d of %d packets saved, %d missed", got, all, saver.Missed())
		if saver.Next(&s) {
			t.Error("there is more after the end")
		}
	}
}
