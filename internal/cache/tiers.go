package cache

import (
	"math"
	"slices"
)

// A tier is a log for each class, for the sessions of all rules of one factor:
// packets that count as equally old can as well stand in one queue, and the
// fewer queues there are, the less room is lost at their ends. Tier 0 has the
// factor 1, and the sessions that no rule matches.

// firstLog is the log of class 0 of a tier.
func firstLog(tier int) int {
	if tier == 0 {
		return 0
	}
	return tierLogs + (tier-1)*NumClasses
}

// tierOf are the logs of the classes of a tier.
func tierOf(logs []log, tier int) []log {
	return logs[firstLog(tier):][:NumClasses]
}

// moveTiers makes the tiers that the rules take, and moves what the tiers held
// that there were with the rules of before.
func (c *Cache) moveTiers(before []rule) {
	tiers := []float64{1}
	for i := range c.rules {
		r := &c.rules[i]
		if r.tier = slices.Index(tiers, r.Factor); r.tier < 0 {
			r.tier = len(tiers)
			tiers = append(tiers, r.Factor)
		}
		r.first = firstLog(r.tier)
	}
	logs := make([]log, firstLog(len(tiers)))
	for i := copy(logs, c.logs[:tierLogs]); i < len(logs); i++ {
		logs[i].init()
	}
	heirs := make([]int, len(c.tiers))
	for tier := 1; tier < len(c.tiers); tier++ {
		heirs[tier] = c.heir(c.tiers[tier], tier, before, tiers)
		to := tierOf(logs, heirs[tier])
		for class := range to {
			c.merge(&to[class], &tierOf(c.logs, tier)[class])
		}
	}
	for i := range before {
		old := &before[i]
		heir := heirs[old.tier]
		if now := c.now(old); now >= 0 && c.rules[now].tier == heir {
			c.rules[now].since = old.since
		} else {
			for class := range tierOf(c.logs, old.tier) {
				c.disperse(logs, class, &tierOf(c.logs, old.tier)[class], heir, c.clock.now)
			}
		}
	}
	if c.restorer != nil {
		c.restorer.follow(heirs)
	}
	c.logs, c.tiers = logs, tiers
	c.arranged++
	c.weigh()
}

// disperse notes that sessions have left a log of a tier, for the one of all
// sessions if not now then later. What was lost of them is missing there, and so
// is what will be lost of what they leave behind: in the log of the tier's heir,
// what came until then.
func (c *Cache) disperse(logs []log, class int, from *log, heir int, then int64) {
	if from.loser {
		logs[class].lose(from.lost)
	}
	logs[class].late.join(from.late)
	if heir > 0 {
		left := &tierOf(logs, heir)[class]
		left.settle()
		left.seal() // what comes later does not stand among it
		left.leftBehind = max(left.leftBehind, then)
	}
}

// heir is the tier that gets what another one, of that factor, holds under the rules
// of before: that of the same factor, else that of a rule which was in it, else the
// one of all sessions.
func (c *Cache) heir(factor float64, tier int, before []rule, tiers []float64) int {
	if same := slices.Index(tiers, factor); same >= 0 {
		return same
	}
	for i := range before {
		if before[i].tier == tier {
			if now := c.now(&before[i]); now >= 0 {
				return c.rules[now].tier
			}
		}
	}
	return 0
}

// merge puts what one log holds into another, in the order of their age. Open
// segments of both are sealed, unless the other one is empty.
func (c *Cache) merge(to, from *log) {
	if to.oldest == noSegment {
		*to, from = *from, &log{evicted: to.evicted, before: to.before, leftBehind: to.leftBehind, late: to.late, lost: to.lost, loser: to.loser, oldest: noSegment}
	}
	to.evicted = to.evicted.plus(from.evicted)
	to.inherit(from)
	if from.oldest == noSegment {
		return
	}
	to.settle()
	to.seal()
	from.settle()
	to.raw, to.plain, to.bare = to.oldest, to.oldest, to.oldest // what has been done is passed over
	to.segments += from.segments
	to.pages += from.pages
	a, b := to.oldest, from.oldest
	link := &to.oldest
	for a != noSegment || b != noSegment {
		next := &a
		if a == noSegment || b != noSegment && c.segments.slots[b].newest < c.segments.slots[a].newest {
			next = &b
		}
		*link, to.youngest = *next, *next
		link = &c.segments.slots[*next].next
		*next = *link
	}
}

// inherit takes over what is known of the packets that another log does not have.
func (l *log) inherit(from *log) {
	l.before = l.before.plus(from.before)
	if from.loser {
		l.lose(from.lost)
	}
	l.leftBehind = max(l.leftBehind, from.leftBehind)
	l.late.join(from.late)
}

// weigh has the logs weigh what bias and factors say.
func (c *Cache) weigh() {
	c.logs[probation].weight, c.logs[unanswered].weight = 1, 1
	c.logs[unanswered].low = true
	for tier, factor := range c.tiers {
		logs := tierOf(c.logs, tier)
		for class := range logs {
			logs[class].excluded, logs[class].low = factor == 0, class < lowClasses
			if factor > 0 {
				logs[class].weight = math.Exp2(c.bias*float64(class)) / factor
			}
		}
	}
}
