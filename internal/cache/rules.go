package cache

import (
	"fmt"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// MaxRules is how many rules there can be.
const MaxRules = session.MaxRule

// A Rule says how long the sessions that it matches are kept, compared with
// others. Which rule a session is under is decided by its first packet.
type Rule struct {
	// Filter is the rule's name: one of the same name is the same rule.
	Filter string
	// Factor is how many times as long; 0 stores nothing of them.
	Factor float64
	// Match says whether a packet of wireLen bytes, of which data were captured,
	// falls under the rule. It is called with the cache locked, except that it
	// sees each link type once before, without data, so that it can prepare.
	Match func(lt packet.LinkType, data []byte, wireLen uint32) bool
}

// A rule is one in force.
type rule struct {
	Rule
	tier     int
	first    int // the log of class 0 of the tier
	sessions uint64
	seen     Count
	// since is the cache clock from when on the tier has all packets of the
	// rule's sessions, except those that it lost.
	since int64
}

// SetRules replaces the rules; of several that match a session the first one
// counts. It concerns sessions that begin later. Rules that were there before
// keep their sessions, also with another factor; the sessions of those that are
// no longer there, or whose factor was or becomes 0, go on as if they had none.
// What is stored stays, and counts as old as the new factors say. It waits for a
// Resize that is under way, and takes the time that goes through the session
// table (some ms for each GiB of the budget) if a rule has gone or moved.
func (c *Cache) SetRules(rules []Rule) error {
	if len(rules) > MaxRules {
		return fmt.Errorf("%d rules are too many: at most %d can be told apart", len(rules), MaxRules)
	}
	c.resizing.Lock() // it goes through the logs, one after the other
	defer c.resizing.Unlock()
	for _, lt := range c.linkTypes() {
		prepare(rules, lt)
	}
	boot := c.boot()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.clock.live(boot)
	before := c.rules
	c.rules = make([]rule, len(rules))
	since := c.clock.now
	if c.stats.seen == (Count{}) {
		since = 0 // nothing came before
	}
	for i, r := range rules {
		c.rules[i] = rule{Rule: r, since: since}
		if old := find(before, r.Filter); old >= 0 {
			c.rules[i].sessions, c.rules[i].seen = before[old].sessions, before[old].seen
		}
	}
	c.moveTiers(before)
	c.renumber(before)
	return nil
}

// find returns the rule of a name, or -1.
func find(rules []rule, filter string) int {
	return slices.IndexFunc(rules, func(r rule) bool { return r.Filter == filter })
}

// now is where a rule of before stands now, or -1 if its sessions are no longer
// under it.
func (c *Cache) now(before *rule) int {
	i := find(c.rules, before.Filter)
	if i >= 0 && (c.rules[i].Factor == 0) != (before.Factor == 0) {
		return -1
	}
	return i
}

// renumber tells the session table which numbers the rules have now.
func (c *Cache) renumber(before []rule) {
	var numbers [MaxRules + 1]uint8
	same := true
	for i := range before {
		numbers[1+i] = uint8(1 + c.now(&before[i]))
		same = same && int(numbers[1+i]) == 1+i
	}
	if !same {
		c.table.RenumberRules(&numbers)
	}
}

// decide puts the session in a slot, which p has begun, under the first rule
// that matches.
func (c *Cache) decide(slot int, p *packet.Packet, wire uint32) {
	lt := c.interfaces[p.Interface].LinkType
	for i := range c.rules {
		if r := &c.rules[i]; r.Match(lt, p.Data, wire) {
			c.table.SetRule(slot, uint8(1+i))
			r.sessions++
			return
		}
	}
}

// under is the rule that the session in a slot is under, or nil.
func (c *Cache) under(slot int) *rule {
	if number := c.table.Rule(slot); number > 0 {
		return &c.rules[number-1]
	}
	return nil
}

// prepare shows a link type to rules before they see a packet of it.
func prepare(rules []Rule, lt packet.LinkType) {
	for _, r := range rules {
		r.Match(lt, nil, 0)
	}
}

// prepareFor shows the link type of a new interface to the rules, with the cache
// unlocked: it can take them a while.
func (c *Cache) prepareFor(lt packet.LinkType) {
	c.mu.Lock()
	rules := make([]Rule, len(c.rules))
	for i := range rules {
		rules[i] = c.rules[i].Rule
	}
	c.mu.Unlock()
	prepare(rules, lt)
}

// linkTypes are those of the interfaces.
func (c *Cache) linkTypes() (list []packet.LinkType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.interfaces {
		if lt := c.interfaces[i].LinkType; !slices.Contains(list, lt) {
			list = append(list, lt)
		}
	}
	return list
}
