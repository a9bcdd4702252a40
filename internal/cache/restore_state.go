package cache

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/packetcache/packetcache/internal/record"
)

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
