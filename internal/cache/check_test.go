package cache

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// classStats returns the figures of a log of packets of one class.
func classStats(s *Stats, class int) *ClassStats {
	if class < NumClasses {
		return &s.Classes[class]
	}
	return &s.Tiers[(class-tierLogs)/NumClasses].Classes[(class-tierLogs)%NumClasses]
}

// logStats returns the figures of a log; those of the two logs of first packets
// stand together in s.
func logStats(s *Stats, c *Cache, class int) *ClassStats {
	if class != probation && class != unanswered {
		return classStats(s, class)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all Stats
	got := c.logStats(&c.logs[class], &all)
	return &got
}

// youngest are the youngest segments of a log that together hold n packets at
// least, as far as there are so many, the oldest of them first.
func (c *Cache) youngest(log int, n uint64) (slots []uint32) {
	var held uint64
	for slot := c.logs[log].oldest; slot != noSegment; slot = c.segments.slots[slot].next {
		slots = append(slots, slot)
		held += c.segments.slots[slot].held().Packets
	}
	for len(slots) > 0 {
		if held -= c.segments.slots[slots[0]].held().Packets; held < n {
			break
		}
		slots = slots[1:]
	}
	return slots
}

// withRecords calls use with the bytes of a segment's records.
func (c *Cache) withRecords(t testing.TB, slot uint32, use func(raw []byte)) {
	t.Helper()
	c.mu.Lock() // or the compressor may be at it
	seg := &c.segments.slots[slot]
	var raw []byte
	if seg.codec == record.Raw {
		raw = make([]byte, seg.size)
		c.copyOut(seg, 0, raw)
	}
	c.mu.Unlock()
	if raw != nil {
		use(raw)
	} else if !c.decompressor.unpack(c, slot, seg.seq, use) {
		t.Fatal("a segment cannot be unpacked")
	}
}

// followMoves tells the model which packets the cache moved to the unanswered
// log: those that stand there behind the ones that the model knows of.
func (m *model) followMoves(t testing.TB, c *Cache) {
	t.Helper()
	if c.waiting.moved == m.moved {
		return
	}
	var records []record.Header
	var data []string
	moved := c.waiting.moved - m.moved
	for _, slot := range c.youngest(unanswered, moved) {
		c.withRecords(t, slot, func(raw []byte) {
			record.Each(raw, false, func(_ int, h *record.Header, d []byte) bool {
				records, data = append(records, *h), append(data, string(d))
				return true
			})
		})
	}
	if moved > uint64(len(records)) {
		t.Fatalf("packet %d: %d packets moved and only %d are there", m.serial, moved, len(records))
	}
	records, data = records[uint64(len(records))-moved:], data[uint64(len(data))-moved:]
	m.moved += moved
	for i, h := range records {
		at := slices.IndexFunc(m.logs[probation], func(item *stored) bool {
			return item.time == h.Time && item.data == data[i] && item.iface == h.Interface && item.dir == h.Direction && item.wire == h.Wire
		})
		if at < 0 {
			t.Fatalf("packet %d: a packet of time %d moved to the unanswered log and did not wait", m.serial, h.Time)
		}
		m.transfer(m.logs[probation][at], unanswered)
	}
}

// follow brings the model up to what the cache evicted with the last packet,
// and compares all figures. It returns what was evicted, by class.
func (m *model) follow(t testing.TB, c *Cache) (evicted [][]*stored) {
	t.Helper()
	s := c.Stats()
	m.followMoves(t, c)
	evicted = make([][]*stored, len(m.logs))
	var held, gone Count
	for class := range m.logs {
		got := logStats(&s, c, class)
		evicted[class] = m.evict(class, got.Evicted)
		if got.Evicted != m.evicted[class] {
			t.Fatalf("packet %d: class %d has evicted %v, its oldest packets are %v", m.serial, class, got.Evicted, m.evicted[class])
		}
		if got.Held != m.held[class] {
			t.Fatalf("packet %d: class %d holds %v, the model %v", m.serial, class, got.Held, m.held[class])
		}
		m.checkHorizon(t, class, got)
		m.checkProtected(t, &s, class, evicted[class])
		m.checkShare(t, &s, class, evicted[class])
		held.add(got.Held.Packets, got.Held.Bytes)
		gone.add(got.Evicted.Packets, got.Evicted.Bytes)
	}
	if s.Age != time.Duration(m.now-m.history) {
		t.Fatalf("packet %d: the cache's history is %v long, the model's %v", m.serial, s.Age, time.Duration(m.now-m.history))
	}
	if s.Sessions.Seen != m.begun || s.Sessions.GivenUp != 0 {
		t.Fatalf("packet %d: the cache has seen %d sessions begin and gave up %d, the model saw %d", m.serial, s.Sessions.Seen, s.Sessions.GivenUp, m.begun)
	}
	checkStats(t, &s)
	m.checkRules(t, &s)
	if c := s.Classes[0]; c.Evicted.Packets == 0 && c.Horizon < s.Unanswered.Horizon-200*time.Millisecond && len(m.rules)+m.restarts == 0 {
		t.Fatalf("packet %d: class 0 has lost nothing and promises %v, unanswered packets are all there for %v", m.serial, c.Horizon, s.Unanswered.Horizon)
	}
	stored := m.seen.minus(m.refused).plus(m.restored)
	if s.Seen != m.seen || s.Stored != stored || s.Evicted != gone || s.Held() != held {
		t.Fatalf("packet %d: %v seen, %v stored, %v evicted, %v held; the model says %v, %v, %v, %v",
			m.serial, s.Seen, s.Stored, s.Evicted, s.Held(), m.seen, stored, gone, held)
	}
	return evicted
}

// checkHorizon: H(k) is the time since the newest packet of class k that was
// evicted. What waited on probation may be younger by the cache's reckoning,
// which promises less then; to class 0 belong also first packets that were
// answered after they had moved.
func (m *model) checkHorizon(t testing.TB, class int, got *ClassStats) {
	t.Helper()
	octave, _ := m.place(class)
	if m.lost[class] < m.history && m.surely[class] < m.history {
		if octave > 0 && (!got.Complete || got.Horizon != time.Duration(m.now-m.history)) {
			t.Fatalf("packet %d: class %d has lost nothing in %v, but promises %v, complete %v", m.serial, class, time.Duration(m.now-m.history), got.Horizon, got.Complete)
		}
		return
	}
	want := time.Duration(m.now - m.lost[class])
	least := time.Duration(m.now - max(m.lost[class], m.surely[class]))
	if octave == 0 {
		least = 0
	}
	if m.lost[class] < m.history { // the cache cannot know
		want = time.Duration(m.now - m.history)
	}
	if got.Complete && m.lost[class] >= m.history || got.Horizon > want || got.Horizon < least {
		t.Fatalf("packet %d: class %d promises %v, complete %v, and has lost a packet of %v ago", m.serial, class, got.Horizon, got.Complete, want)
	}
}

// checkProtected: what was evicted lay behind the newest eighth of the budget,
// unless it was unanswered and over its share.
func (m *model) checkProtected(t testing.TB, s *Stats, class int, evicted []*stored) {
	t.Helper()
	if class == probation || class == unanswered {
		return
	}
	for _, item := range evicted {
		if since := m.most - item.most; since < uint64(s.Budget/8) {
			t.Fatalf("packet %d: a packet of class %d was evicted though at most %d bytes came after it", m.serial, class, since)
		}
	}
}

// checkShare: nothing but unanswered packets is evicted while those have more
// than their share.
func (m *model) checkShare(t testing.TB, s *Stats, class int, evicted []*stored) {
	t.Helper()
	if len(evicted) > 0 && class != probation && class != unanswered && s.Unanswered.Memory > mostUnanswered(s) {
		t.Fatalf("packet %d: packets of class %d were evicted while unanswered ones take %d bytes of %d", m.serial, class, s.Unanswered.Memory, s.Budget)
	}
}

// checkFull: nothing is evicted while there is room.
func (m *model) checkFull(t testing.TB, c *Cache, evicted [][]*stored) {
	t.Helper()
	for class, items := range evicted {
		if len(items) == 0 {
			continue
		}
		// What is compressed after an eviction may free a segment's worth.
		if s := c.Stats(); s.Budget-s.Used > 3*layOut(s.Budget, 0).segmentSize+packet.MaxLen {
			t.Fatalf("packet %d: packets of class %d were evicted though %d bytes are free", m.serial, class, s.Budget-s.Used)
		}
	}
}

// mostUnanswered is a twentieth of the budget, and two segments more. What is
// restored may also take the room of a jumbo packet that had to go.
func mostUnanswered(s *Stats) int {
	most := s.Budget/20 + 2*layOut(s.Budget, 0).segmentSize
	if s.Restored.Packets > 0 {
		most += record.MaxSize
	}
	return most
}

// checkStats checks what holds of a cache's figures at any time.
func checkStats(t testing.TB, s *Stats) {
	t.Helper()
	var refused, held, evicted Count
	for _, n := range s.Refused {
		refused.add(n.Packets, n.Bytes)
	}
	memory := 0
	for class := range firstLog(len(s.Tiers) + 1) {
		got := &s.Unanswered
		if class == unanswered {
			continue // it is part of the one before
		} else if class != probation {
			got = classStats(s, class)
		}
		held.add(got.Held.Packets, got.Held.Bytes)
		evicted.add(got.Evicted.Packets, got.Evicted.Bytes)
		memory += got.Memory
		if got.Horizon > s.Age || got.Horizon < 0 || got.Compressed == 0 && uint64(got.Memory) < got.Held.Bytes {
			t.Fatalf("class %d: %+v in a cache of age %v", class, got, s.Age)
		}
	}
	if s.Seen.plus(s.Restored) != s.Stored.plus(refused) {
		t.Fatalf("seen %v and restored %v are not stored %v and refused %v", s.Seen, s.Restored, s.Stored, refused)
	}
	if s.Held() != held || s.Evicted != evicted {
		t.Fatalf("held %v, evicted %v; of the classes together %v, %v", s.Held(), s.Evicted, held, evicted)
	}
	if s.Used > s.Budget || memory > s.Used {
		t.Fatalf("%d bytes used, %d of them for packets, of %d", s.Used, memory, s.Budget)
	}
	if evicted != s.Unanswered.Evicted && s.Unanswered.Memory > mostUnanswered(s) {
		t.Fatalf("unanswered packets take %d bytes of %d, and others were evicted", s.Unanswered.Memory, s.Budget)
	}
	var before time.Duration
	for class := range NumClasses {
		if age, _ := s.Promise(class); class > 0 && age > before || age > s.Classes[class].Horizon {
			t.Fatalf("class %d promises %v after %v, its horizon is %v", class, age, before, s.Classes[class].Horizon)
		} else {
			before = age
		}
	}
}

// checkRules compares the counts of the rules, and holds what they promise
// against what was lost.
func (m *model) checkRules(t testing.TB, s *Stats) {
	t.Helper()
	if len(s.Rules) != len(m.under) {
		t.Fatalf("the cache has %d rules, the model %d", len(s.Rules), len(m.under))
	}
	for i, got := range s.Rules {
		want := m.under[i]
		want.Age = s.Age
		if got != want {
			t.Fatalf("packet %d: %+v, want %+v", m.serial, got, want)
		}
		for class := range NumClasses {
			age, complete := s.PromiseOf(&got, class)
			log := class
			if got.Tier > 0 {
				log += firstLog(got.Tier)
			}
			if lost := m.lost[log]; lost >= m.history && (complete || age > time.Duration(m.now-lost)) {
				t.Fatalf("packet %d: rule %q promises class %d for %v, complete %v, and has lost one of %v ago", m.serial, got.Filter, class, age, complete, time.Duration(m.now-lost))
			}
		}
	}
}

// checkInterfaces compares the totals of every interface.
func (m *model) checkInterfaces(t testing.TB, c *Cache) {
	t.Helper()
	_, all := c.Interfaces()
	for id, got := range all {
		if want := *m.iface(packet.InterfaceID(id)); got != want {
			t.Fatalf("packet %d: interface %d: %+v, want %+v", m.serial, id, got, want)
		}
	}
}

// checkContents reads all of the cache, which must be all that the model holds.
func (m *model) checkContents(t testing.TB, c *Cache) {
	t.Helper()
	m.checkInterfaces(t, c)
	s := c.Stats()
	all := m.all()
	if len(all) > 0 {
		byTime := func(a, b *stored) int { return cmp.Compare(a.time, b.time) }
		oldest, newest := slices.MinFunc(all, byTime).time, slices.MaxFunc(all, byTime).time
		if s.Oldest > oldest || s.Newest < newest {
			t.Fatalf("oldest and newest are %d and %d, want %d and %d", s.Oldest, s.Newest, oldest, newest)
		}
	}
	v := beginView(c, m, All)
	v.read(t, -1)
	v.finish(t)
	if v.r.Missing() != 0 {
		t.Fatalf("%d packets missing of a cache that stands still", v.r.Missing())
	}
}
