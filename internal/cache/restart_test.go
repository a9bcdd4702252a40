package cache

import (
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A rerun is a cache and its model that go through restarts.
type rerun struct {
	*world
	m        *model
	c        *Cache
	compress bool
	rules    []talkRule
	numbers  map[int]packet.InterfaceID // of interfaces, in this run
}

// make makes the cache of the next run, which knows no interfaces yet.
func (r *rerun) make(t *testing.T, budget int) {
	t.Helper()
	boot := func() int64 { return r.boot }
	r.c = newCacheOf(t, Options{Compress: r.compress, Bytes: budget, Most: 4 * smallBudget, Bias: 2, Boot: boot})
	r.numbers = map[int]packet.InterfaceID{}
	if r.rules != nil {
		setRules(t, r.c, r.rules...)
	}
}

// feedOne shows a packet to the cache and the model. Interfaces have numbers in the
// order in which packets come.
func (r *rerun) feedOne(t *testing.T) {
	t.Helper()
	s := r.next()
	id, known := r.numbers[int(s.k.iface)]
	if !known {
		var err error
		if id, err = r.c.Interface(interfaces[s.k.iface]); err != nil {
			t.Fatal(err)
		}
		r.numbers[int(s.k.iface)] = id
	}
	s.p.Interface = id
	r.m.links = func(packet.InterfaceID) packet.LinkType { return s.k.link }
	if r.replay {
		r.m.replayTo(s.p.Time)
	}
	r.m.add(s.k, s.flags, &s.p)
	r.feed(r.c, []packet.Packet{s.p})
	r.m.follow(t, r.c)
}

// passSome lets time go by, for the model too.
func (r *rerun) passSome() {
	boot := r.boot
	r.pass()
	if !r.replay {
		r.m.now += r.boot - boot
	}
}

// A parkedLog is what a log held when the cache was saved, oldest first.
type parkedLog struct {
	log   int
	items []*stored
}

// restart saves the cache, stops, and has the model forget all but the packets. It
// returns what was saved, and the packets by State.Logs.
func (r *rerun) restart(t *testing.T, away time.Duration) (*saving, []parkedLog) {
	t.Helper()
	m := r.m
	saved := saveAll(t, r.c)
	known, _ := r.c.Interfaces()
	if err := r.c.Close(); err != nil {
		t.Fatal(err)
	}
	parked := make([]parkedLog, len(saved.state.Logs))
	waiting := true // its log is the first of the two
	for i, l := range saved.state.Logs {
		log := l.Class
		switch {
		case l.Unanswered && waiting && len(m.logs[probation]) > 0:
			log, waiting = probation, false
		case l.Unanswered:
			log = unanswered
		case l.Factor != 1:
			rule := slices.IndexFunc(m.rules, func(r talkRule) bool { return r.factor == l.Factor })
			log += firstLog(m.rules[rule].tier)
		}
		parked[i] = parkedLog{log, m.logs[log]}
		m.logs[log] = nil
		if log == probation {
			parked[i].log = unanswered
		}
		for _, item := range parked[i].items {
			item.class = parked[i].log
			item.name = known[item.iface].Name
		}
	}
	for log, list := range m.logs {
		if len(list) > 0 {
			t.Fatalf("%d packets of log %d were not saved", len(list), log)
		}
	}
	for i := range m.under {
		m.under[i].Sessions, m.under[i].Seen = 0, Count{}
	}
	m.lost[unanswered], m.lost[probation] = max(m.lost[unanswered], m.lost[probation]), -1
	m.surely[unanswered], m.surely[probation] = max(m.surely[unanswered], m.surely[probation]), -1
	clear(m.sessions)
	clear(m.held)
	clear(m.evicted)
	clear(m.perInterface)
	m.seen, m.refused, m.restored = Count{}, Count{}, Count{}
	m.gone, m.moved, m.begun = 0, 0, 0
	m.run++
	m.restarts++
	m.fresh = true
	r.wall += int64(away)
	r.boot += int64(away)
	m.now += int64(away)
	m.began, m.history = m.now, m.now
	return saved, parked
}

// recordsOf are the packets of a segment, with the names of their interfaces.
func recordsOf(t *testing.T, state *record.State, s *record.Segment) (list []shown) {
	t.Helper()
	raw := s.Data
	if s.Codec == record.Zstd {
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		if raw, err = decoder.DecodeAll(raw[s.Tallies*record.TallySize:], nil); err != nil {
			t.Fatal(err)
		}
	}
	known := func(id packet.InterfaceID) bool { return int(id) < len(state.Tables[s.Table]) }
	if err := s.CheckRecords(raw, known); err != nil {
		t.Fatal(err)
	}
	record.Each(raw, false, func(_ int, h *record.Header, data []byte) bool {
		list = append(list, shown{h.Time, string(data), h.Wire, state.Tables[s.Table][h.Interface].Name, h.Direction})
		return true
	})
	return list
}

// restore puts up to most segments back, while packets come.
func (r *rerun) restore(t *testing.T, saved *saving, parked []parkedLog, away time.Duration, most int) {
	t.Helper()
	m := r.m
	restorer, err := r.c.NewRestorer(&saved.state, away+time.Duration(m.now-m.began))
	if err != nil {
		t.Fatal(err)
	}
	for i := range saved.segments[:most] {
		for range r.random.IntN(3) {
			r.passSome()
			r.feedOne(t)
		}
		s := &saved.segments[i]
		p := &parked[s.Log]
		records := recordsOf(t, &saved.state, s)
		if len(records) > len(p.items) {
			t.Fatalf("log %d has %d records more than the model", p.log, len(records)-len(p.items))
		}
		items := p.items[len(p.items)-len(records):]
		p.items = p.items[:len(p.items)-len(records)]
		for n, item := range items {
			if (records[n] != shown{item.time, item.data, item.wire, item.name, item.dir}) {
				t.Fatalf("record %d of segment %d, of log %d, is not what the model has there", n, i, p.log)
			}
		}
		seg := copySegment(s)
		kept, err := restorer.Add(&seg)
		if err != nil {
			t.Fatal(err)
		}
		clear(seg.Data)
		r.settle(t, p.log, items, kept)
	}
	for i := range parked {
		p := &parked[i]
		r.settle(t, p.log, p.items, false)
		if cut := saved.state.Logs[i]; len(p.items) > 0 { // of the log, the one before is the last that came
			last := cut.Newest
			for n := range saved.segments[:most] {
				if saved.segments[n].Log == i {
					last = saved.segments[n].Newest
				}
			}
			m.surely[p.log] = max(m.surely[p.log], m.began-int64(away)-int64(last))
		}
	}
	restorer.End()
	m.history = 0
	r.c.checkLogs(t)
	m.follow(t, r.c)
}

// settle has the model know what has become of the packets of a segment.
func (r *rerun) settle(t *testing.T, log int, items []*stored, kept bool) {
	t.Helper()
	m := r.m
	s := r.c.Stats()
	for log := range m.logs { // what had to make room for it
		m.evict(log, logStats(&s, r.c, log).Evicted)
	}
	known, _ := r.c.Interfaces()
	for _, item := range items {
		n := Count{1, uint64(len(item.data))}
		if !kept {
			item.gone = true
			m.lost[log] = max(m.lost[log], item.at)
			if item.late >= 0 {
				m.lost[item.late] = max(m.lost[item.late], item.at)
			}
			continue
		}
		item.iface = packet.InterfaceID(slices.IndexFunc(known, func(i packet.Interface) bool { return i.Name == item.name }))
		m.restored = m.restored.plus(n)
		m.held[log] = m.held[log].plus(n)
		m.iface(item.iface).Restored = m.iface(item.iface).Restored.plus(n)
	}
	if kept {
		m.logs[log] = slices.Insert(m.logs[log], r.c.before(log), items...)
		m.follow(t, r.c)
	}
}

// before is how many packets of a log are older than the segment that was begun
// last of all.
func (c *Cache) before(log int) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for slot := c.logs[log].oldest; c.segments.slots[slot].seq != c.segments.seq; slot = c.segments.slots[slot].next {
		n += int(c.segments.slots[slot].held().Packets)
	}
	return n
}

// TestRestartsAgreeWithModel: a cache is saved and restored again and again, into
// other budgets, with interfaces in other orders, while packets come; now and then
// not all of it comes back. The cache and the model agree after every packet and
// every segment.
func TestRestartsAgreeWithModel(t *testing.T) {
	runs, packets := 6, 3000
	if raceEnabled {
		runs, packets = 3, 1500
	}
	for name, test := range map[string]struct{ replay, compress, rules bool }{
		"live": {}, "replay": {replay: true}, "live with rules": {rules: true},
		"live, compressed": {compress: true}, "replay with rules, compressed": {replay: true, compress: true, rules: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &rerun{world: newWorld(21, test.replay), m: newModel(), compress: test.compress}
			if test.rules {
				r.rules = someRules
				r.m = newModel(someRules...)
			}
			r.make(t, MinBytes)
			tables, refused, restored := 0, 0, uint64(0)
			for run := range runs {
				for range packets {
					r.passSome()
					r.feedOne(t)
				}
				r.m.checkContents(t, r.c)
				away := time.Duration(r.random.IntN(int(10 * time.Hour)))
				saved, parked := r.restart(t, away)
				r.make(t, []int{MinBytes, smallBudget, 3 * MinBytes / 2}[run%3])
				if r.random.IntN(2) == 0 { // some packets come before
					for range r.random.IntN(200) {
						r.passSome()
						r.feedOne(t)
					}
				}
				most := len(saved.segments)
				if run%4 == 2 {
					most = r.random.IntN(most)
				}
				r.restore(t, saved, parked, away, most)
				r.m.checkContents(t, r.c)
				tables = max(tables, len(r.c.tables))
				restored += r.m.restored.Packets
				refused += len(saved.segments)
				r.c.each(func(_ int, seg *segment) {
					if seg.newest <= 0 {
						refused--
					}
				})
			}
			if tables < 2 || refused == 0 || restored == 0 {
				t.Errorf("%d tables, %d packets restored, %d segments not: too little was tested", tables, restored, refused)
			}
			t.Logf("%d tables, %d packets restored, %d segments not", tables, restored, refused)
		})
	}
}
