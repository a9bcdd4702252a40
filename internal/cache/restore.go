package cache

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A Restorer puts what was saved back, behind packets that come meanwhile. It is
// not safe for concurrent use; all else that a cache can do goes on.
type Restorer struct {
	c     *Cache
	state *record.State
	saved int64 // when the state was taken, by the cache's clock
	// tiers are those that now have what the tiers of the state had, by their number
	// there.
	tiers  []int
	rules  []savedRule
	logs   []restoring
	tables []entered
	// last is the log of the segment before; gap says that something was missing
	// behind that.
	last int
	gap  bool
}

// A savedRule is a rule that was in force when the cache was saved.
type savedRule struct {
	rule
	// kept says that its sessions still have the tier.
	kept bool
}

// A restoring is what has come of a log.
type restoring struct {
	class, tier int   // as they were
	newest      int64 // the cache clock of what came last; what comes now is older
	left        int   // segments still to come
	// raw is the oldest segment that came uncompressed, of a seq that is 0 if there is
	// none.
	raw uint32
	seq uint64
}

// An entered is a table of the state, if it has been used.
type entered struct {
	known  bool
	number uint8
	ok     bool // it could be entered
}

// maxRestoredAge bounds ages and absences.
const maxRestoredAge = time.Duration(maxAge / 4)

// NewRestorer begins to restore a cache that was saved, away before now: the time
// for which it was not there, by the clock on the wall. It does so once in a cache's
// life. It returns an error if the state makes no sense. Until End, nothing is
// promised of the past.
func (c *Cache) NewRestorer(state *record.State, away time.Duration) (*Restorer, error) {
	if err := checkState(state); err != nil {
		return nil, fmt.Errorf("restoring a cache: its state makes no sense: %w", err)
	}
	boot := c.boot()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errClosed
	case c.restored:
		return nil, errors.New("restoring a cache: one has been restored already")
	}
	c.clock.live(boot)
	r := &Restorer{c: c, state: state, tables: make([]entered, len(state.Tables))}
	// What was saved is older than all that came since, whatever the wall says.
	r.saved = min(c.clock.now-int64(min(max(away, 0), maxRestoredAge)), 0)
	r.inherit()
	c.restorer, c.restored = r, true
	return r, nil
}

// checkState returns what makes no sense of a state.
func checkState(s *record.State) error {
	switch {
	case s.Age < 0:
		return fmt.Errorf("an age of %v", s.Age)
	case len(s.Tables) > maxTables:
		return fmt.Errorf("%d tables of interfaces: at most %d are possible", len(s.Tables), maxTables)
	case len(s.Rules) > MaxRules:
		return fmt.Errorf("%d rules: at most %d are possible", len(s.Rules), MaxRules)
	}
	for _, t := range s.Tables {
		if len(t) > maxInterfaces {
			return fmt.Errorf("%d interfaces: at most %d are possible", len(t), maxInterfaces)
		}
	}
	for _, r := range s.Rules {
		if !isFactor(r.Factor) || r.Since < 0 {
			return fmt.Errorf("a rule of the factor %v, %v old", r.Factor, r.Since)
		}
	}
	for i := range s.Logs {
		l := &s.Logs[i]
		ages := []time.Duration{l.Newest}
		for _, age := range []*time.Duration{l.Lost, l.LeftBehind} {
			if age != nil {
				ages = append(ages, *age)
			}
		}
		if l.Late != nil {
			ages = append(ages, l.Late.Newest, l.Late.Oldest-l.Late.Newest)
		}
		switch {
		case l.Class < 0 || l.Class >= NumClasses || !isFactor(l.Factor) || l.Unanswered && (l.Class > 0 || l.Factor != 1):
			return fmt.Errorf("a log of class %d and the factor %v, unanswered: %v", l.Class, l.Factor, l.Unanswered)
		case l.Segments < 0 || slices.Min(ages) < 0:
			return fmt.Errorf("log %d has %d segments, and ages of %v", i, l.Segments, ages)
		}
	}
	return nil
}

func isFactor(f float64) bool { return f >= 0 && f <= math.MaxFloat64 }

// inherit has the logs know what those did that were saved, and finds out which
// tiers have their packets now, as moveTiers does.
func (r *Restorer) inherit() {
	c := r.c
	factors := []float64{1}
	tierOfFactor := func(factor float64) int {
		tier := slices.Index(factors, factor)
		if tier < 0 {
			tier = len(factors)
			factors = append(factors, factor)
		}
		return tier
	}
	var before []rule
	for _, saved := range r.state.Rules {
		before = append(before, rule{
			Rule: Rule{Filter: saved.Filter, Factor: saved.Factor},
			tier: tierOfFactor(saved.Factor), since: r.at(saved.Since),
		})
	}
	logs := make([]log, len(r.state.Logs)) // of their knowledge only
	for i := range r.state.Logs {
		saved := &r.state.Logs[i]
		l := &logs[i]
		l.init()
		l.before = Count{saved.EvictedPackets + saved.Packets, saved.EvictedBytes + saved.Bytes}
		if saved.Lost != nil {
			l.lose(r.at(*saved.Lost))
		}
		if saved.Late != nil {
			l.late = span{true, r.at(saved.Late.Oldest), r.at(saved.Late.Newest)}
		}
		if saved.LeftBehind != nil {
			l.leftBehind = r.at(*saved.LeftBehind)
		}
		out := restoring{class: saved.Class, tier: tierOfFactor(saved.Factor), newest: r.at(saved.Newest), left: saved.Segments}
		if saved.Unanswered {
			out.class = unanswered
		}
		r.logs = append(r.logs, out)
	}
	r.tiers = make([]int, len(factors))
	for tier := 1; tier < len(factors); tier++ {
		r.tiers[tier] = c.heir(factors[tier], tier, before, c.tiers)
	}
	for i := range logs {
		c.logs[r.placeIn(&r.logs[i])].inherit(&logs[i])
	}
	for _, old := range before {
		heir, now := r.tiers[old.tier], c.now(&old)
		kept := now >= 0 && c.rules[now].tier == heir
		r.rules = append(r.rules, savedRule{old, kept})
		for i := range logs {
			if l := &r.logs[i]; !kept && l.tier == old.tier && l.class < NumClasses {
				c.disperse(c.logs, l.class, &logs[i], heir, r.saved)
			}
		}
	}
}

// at is the cache clock of an age in the state.
func (r *Restorer) at(age time.Duration) int64 { return r.saved - int64(min(age, maxRestoredAge)) }

// placeIn is the log that now has what a log of the state knows.
func (r *Restorer) placeIn(l *restoring) int {
	if l.class == unanswered {
		return unanswered
	}
	return firstLog(r.tiers[l.tier]) + l.class
}

// follow goes after what a change of the rules moves to other tiers.
func (r *Restorer) follow(heirs []int) {
	for i := range r.tiers {
		r.tiers[i] = heirs[r.tiers[i]]
	}
}

// Add puts a segment to the old end of its log, for which it copies the data. It
// reports whether the segment was kept: not if there is no room that it would not
// have to give up at once, if there are too many tables of interfaces to tell
// apart, or if the cache has been cleared. An error says that it makes no sense;
// others may.
func (r *Restorer) Add(s *record.Segment) (kept bool, err error) {
	c := r.c
	if s.Log < 0 || s.Log >= len(r.logs) {
		return false, fmt.Errorf("restoring a segment: there is no log %d", s.Log)
	}
	// Rules and budget stay as they are meanwhile, so that the bytes can be copied
	// with the cache unlocked.
	c.resizing.Lock()
	defer c.resizing.Unlock()
	l := &r.logs[s.Log]
	r.cross(s.Log, s)
	if err = r.check(l, s); err == nil {
		kept, err = r.add(l, s)
	}
	if err != nil {
		err = fmt.Errorf("restoring a segment of %d packets: %w", s.Records, err)
	}
	l.left--
	if !kept {
		c.locked(func() bool {
			switch to := r.placeIn(l); {
			case c.restorer != r:
			case err == nil:
				c.lose(to, r.at(s.Newest))
			default: // of whatever age
				c.loseUpTo(to, l.newest)
			}
			return false
		})
	}
	if err == nil {
		l.newest = r.at(s.Newest)
	}
	return kept, err
}

// Gap says that something stood between the segment before and the next one, or
// the end, that cannot be had: nothing is promised of what may have been there.
func (r *Restorer) Gap() { r.gap = true }

// cross books a gap before a segment of a log, or before the end, for which next
// is nil. It may have hidden something of each log from that of the segment before
// to this one.
func (r *Restorer) cross(log int, next *record.Segment) {
	first := r.last
	r.last = log
	if !r.gap {
		return
	}
	r.gap = false
	c := r.c
	c.locked(func() bool {
		for i := first; c.restorer == r && i <= log && i < len(r.logs); i++ {
			l := &r.logs[i]
			// The first segment of a log is known by its age.
			begins := next != nil && i == log && l.left == r.state.Logs[i].Segments && r.at(next.Newest) == l.newest
			if l.left > 0 && !begins {
				c.loseUpTo(r.placeIn(l), l.newest)
			}
		}
		return false
	})
}

// check returns what makes no sense of a segment.
func (r *Restorer) check(l *restoring, s *record.Segment) error {
	if r.at(max(s.Newest, 0)) > l.newest {
		return errors.New("it is newer than the one before it")
	}
	if s.Table < 0 || s.Table >= len(r.state.Tables) {
		return fmt.Errorf("there is no table %d of interfaces", s.Table)
	}
	table := r.state.Tables[s.Table]
	if err := s.Check(func(id packet.InterfaceID) bool { return int(id) < len(table) && table[id].Name != "" }); err != nil {
		return err
	}
	if s.Codec != record.Zstd {
		return nil
	}
	var frame zstd.Header
	if err := frame.Decode(s.Data[s.Tallies*record.TallySize:]); err != nil {
		return fmt.Errorf("its frame: %w", err)
	}
	if frame.Skippable || !frame.HasFCS || !frame.HasCheckSum || frame.FrameContentSize != uint64(s.Size) {
		return errors.New("its frame is not one of the cache")
	}
	return nil
}

// add adds a segment that makes sense.
func (r *Restorer) add(l *restoring, s *record.Segment) (kept bool, err error) {
	c := r.c
	seg := segment{
		minTime: s.MinTime, maxTime: s.MaxTime, newest: r.at(s.Newest), position: -s.Behind,
		bytes: s.Captured, size: uint32(s.Size), records: uint32(s.Records),
		codec: s.Codec, tallies: uint16(s.Tallies), disordered: s.Disordered, restored: true,
		pages: uint32((len(s.Data) + pageSize - 1) / pageSize),
	}
	if s.Codec != record.Raw {
		seg.packed = uint32(len(s.Data))
	}
	seg.shares.many = s.Many
	for _, share := range s.Shares {
		seg.shares.add(share.Interface, int(share.Packets), int(share.Bytes))
	}
	c.mu.Lock()
	log := r.placeIn(l)
	if c.logs[log].excluded { // so nothing can have been in it
		c.mu.Unlock()
		return false, errors.New("of sessions that are not stored")
	}
	slot, err := r.reserve(log, s.Table, &seg)
	c.mu.Unlock()
	if err != nil || slot == noSegment {
		return false, err
	}
	page := seg.first
	for rest := s.Data; len(rest) > 0; page = c.pages.next[page] {
		rest = rest[copy(c.pages.bytes(page), rest):]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false, errClosed
	}
	to := &c.logs[log]
	seg.seq = c.segments.slots[slot].seq
	c.segments.slots[slot] = seg
	to.insert(&c.segments, slot)
	to.before = to.before.upTo(seg.held())
	c.stats.restored = c.stats.restored.plus(seg.held())
	c.book(&seg, restoredOf)
	if s.Codec == record.Raw {
		l.raw, l.seq = slot, seg.seq
	}
	return true, nil
}

// reserve takes a descriptor and pages for a segment, or returns noSegment if
// there is no room for it.
func (r *Restorer) reserve(log, table int, seg *segment) (slot uint32, err error) {
	c := r.c
	if c.closed {
		return noSegment, errClosed
	}
	if c.restorer != r {
		return noSegment, nil // it has been cleared
	}
	t := &r.tables[table]
	if !t.known {
		t.known = true
		t.number, t.ok = c.enter(r.state.Tables[table])
	}
	if !t.ok || !c.makeRoom(log, seg) {
		return noSegment, nil
	}
	seg.table = t.number
	if t.number > 0 {
		c.tables[t.number].users++
	}
	slot = c.segments.take()
	seg.first = c.pages.take()
	seg.last = seg.first
	for range seg.pages - 1 {
		page := c.pages.take()
		c.pages.next[seg.last] = page
		seg.last = page
	}
	return slot, nil
}

// makeRoom evicts what would have to go before a segment that is to be put into a
// log, until there is room for that. It reports false if that would be the next to
// go itself.
func (c *Cache) makeRoom(log int, seg *segment) bool {
	more := 0
	if log == unanswered {
		more = int(seg.pages)
	}
	for c.pages.available() < int(seg.pages) || !c.segments.available() {
		victim := c.unansweredVictim(more)
		if victim == unanswered && more > 0 {
			return false
		}
		if victim < 0 {
			var worst rank
			if victim, worst = c.victim(); victim < 0 || !worst.before(c.rank(&c.logs[log], seg)) {
				return false
			}
			if !worst.spared {
				c.outlived = worst.score
			}
		}
		c.drop(victim)
	}
	return true
}

// insert puts a segment into its place by age, which is nearly always the old end.
func (l *log) insert(p *segmentPool, slot uint32) {
	seg := &p.slots[slot]
	link := &l.oldest
	for *link != noSegment && p.slots[*link].newest < seg.newest {
		link = &p.slots[*link].next
	}
	if seg.next = *link; seg.next == noSegment {
		l.youngest = slot
	}
	*link = slot
	l.segments++
	l.pages += int(seg.pages)
}

// End says that nothing more comes. What has not come is missing; from now on the
// horizons reach back to what has.
func (r *Restorer) End() {
	r.c.resizing.Lock()
	defer r.c.resizing.Unlock()
	r.cross(len(r.logs), nil)
	r.c.locked(func() bool {
		r.end()
		return false
	})
}

func (r *Restorer) end() {
	c := r.c
	if c.restorer != r {
		return // it has ended
	}
	c.restorer = nil
	for i := range r.logs {
		l := &r.logs[i]
		to := r.placeIn(l)
		if l.left > 0 {
			c.loseUpTo(to, l.newest)
		}
		r.tend(&c.logs[to], l)
	}
	for _, t := range r.tables {
		if t.ok {
			c.leaveTable(t.number)
		}
	}
	c.beginning = r.at(r.state.Age)
	for i := range r.rules {
		old := &r.rules[i]
		if now := c.now(&old.rule); old.kept && now >= 0 && c.rules[now].since == 0 && c.rules[now].tier == r.tiers[old.tier] {
			c.rules[now].since = max(old.since, c.beginning)
		}
	}
	if c.compressor != nil {
		select {
		case c.compressor.work <- struct{}{}:
		default:
		}
	}
}

// tend has the compressor look at what came of a log.
func (r *Restorer) tend(to *log, l *restoring) {
	slots := r.c.segments.slots
	to.bare = to.oldest
	if l.seq > 0 && slots[l.raw].seq == l.seq && (to.raw == noSegment || slots[l.raw].newest < slots[to.raw].newest) {
		to.raw = l.raw
	}
}
