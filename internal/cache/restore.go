package cache

import (
	"errors"
	"fmt"
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
