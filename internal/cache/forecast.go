package cache

import (
	"math"
	"time"
)

// LongRun is after which time a forecast is that of a cache that has settled.
const LongRun time.Duration = 100 * 365 * 24 * time.Hour

// A Forecast says how far back a cache is going to reach.
type Forecast struct {
	classes [NumClasses]time.Duration
	// Unanswered is the horizon of first packets that nothing followed.
	Unanswered time.Duration
}

// Promise is what Stats.PromiseAnswered comes to.
func (f *Forecast) Promise(class int) time.Duration {
	age := LongRun
	for _, h := range f.classes[:class+1] {
		age = min(age, h)
	}
	return age
}

// Forecast estimates how far back a cache of so many bytes reaches that has
// forgotten with that bias for so long, at most LongRun, if traffic goes on as it
// was. It reports false if nothing is there by which to tell.
//
// Since evict chooses by age and weight, logs keep their packets in the long run
// for times in inverse proportion to their weights, but all of them for as long
// as the protected eighth of the budget takes to come. What is not known is the
// age at which a packet of weight 1 goes; it is the one with which the logs fill
// the pages. Traffic comes in bursts, however, so that what a class has lost last
// may be much older or somewhat younger than that: each log is taken to differ
// from the rule as much as it does now.
func (s *Stats) Forecast(bias float64, bytes int, after time.Duration) (Forecast, bool) {
	demands := s.demands(bias)
	held := 0.
	for i := range demands {
		held += demands[i].held
	}
	f := Forecast{Unanswered: after}
	for class := range f.classes {
		f.classes[class] = after
	}
	if held == 0 {
		return f, false
	}
	rate := s.recordRate()
	was := keptFor(demands, held, float64(s.Budget)/8/rate, s.Age.Seconds())
	pages := float64(layOut(bytes, 0).pages * pageSize)
	will := keptFor(demands, pages, float64(bytes)/8/rate, after.Seconds())
	for i := range demands {
		d := &demands[i]
		horizon := time.Duration(min(d.horizon*will[i]/was[i], after.Seconds()) * float64(time.Second))
		switch {
		case d.class == probation:
			f.Unanswered = horizon
		case d.class >= 0:
			f.classes[d.class] = horizon
		}
	}
	// What class 0 loses may also go with the unanswered packets, long before its
	// own turn.
	if c := &s.Classes[0]; c.Late || c.Horizon < c.Next {
		late := f.Unanswered.Seconds()
		if c.Horizon < c.Next && s.Unanswered.Horizon > 0 {
			late *= c.Horizon.Seconds() / s.Unanswered.Horizon.Seconds()
		}
		f.classes[0] = min(f.classes[0], time.Duration(min(late, after.Seconds())*float64(time.Second)))
	}
	return f, true
}

// recordRate is how many bytes of records have come per second.
func (s *Stats) recordRate() float64 {
	const header = 8 // on average; see record.Put
	came := s.Stored.plus(s.Before)
	return float64(came.Bytes+header*came.Packets) / s.Age.Seconds()
}

// keptFor is for how many seconds logs that share so many bytes keep their
// packets by the rule, if packets have come for no longer than after and those of
// the last seconds are spared.
func keptFor(demands []demand, bytes, spared, after float64) []float64 {
	ages := make([]float64, len(demands))
	memory := func(age float64) (sum float64) {
		for i := range demands {
			d := &demands[i]
			ages[i] = min(max(age/d.weight, spared), d.reach(d.share*bytes), after)
			sum += d.memory(ages[i])
		}
		return sum
	}
	// By the logarithm of the age, up to one at which nothing has to go.
	low, high := -30., 30.
	for i := range demands {
		high = max(high, math.Log2(after*demands[i].weight))
	}
	for range 64 {
		if middle := (low + high) / 2; memory(math.Exp2(middle)) <= bytes {
			low = middle
		} else {
			high = middle
		}
	}
	memory(math.Exp2(low))
	return ages
}

// A demand is how much memory a log takes to keep its packets for some time. What
// it holds tells of the time for which it does now, what it has evicted of the time
// before.
type demand struct {
	class  int // -1 for the logs of tiers
	weight float64
	share  float64 // of the pages that it gets at most
	// held is its memory in bytes, seconds the age up to which it keeps packets,
	// and horizon that up to which none is missing.
	held, seconds, horizon float64
	// recent is the memory, in bytes for each second, that packets take which are
	// no older than seconds, older what those before would take.
	recent, older float64
}

// demands are those of all logs that packets have come to.
func (s *Stats) demands(bias float64) (list []demand) {
	add := func(class int, c *ClassStats, age time.Duration, weight, share float64) {
		if c.Held.Bytes+c.Evicted.Bytes+c.Before.Bytes == 0 || age <= 0 {
			return
		}
		d := demand{class: class, weight: weight, share: share, held: float64(c.Memory), horizon: min(c.Horizon, age).Seconds()}
		d.seconds = max(d.horizon, min(c.Next, age).Seconds())
		density := 1. // where nothing is held, it is little
		if c.Held.Bytes > 0 {
			density = float64(c.Memory) / float64(c.Held.Bytes)
		}
		gone := float64(c.Evicted.Bytes + c.Before.Bytes)
		average := density * (float64(c.Held.Bytes) + gone) / age.Seconds()
		d.recent, d.older = average, average
		if before := age.Seconds() - d.seconds; gone > 0 && before > 0 && d.seconds > 0 {
			d.recent = d.held / d.seconds
			d.older = density * gone / before
		}
		list = append(list, d)
	}
	add(probation, &s.Unanswered, s.Age, 1, 1./unansweredShare)
	for class := range s.Classes {
		add(class, &s.Classes[class], s.Age, math.Exp2(bias*float64(class)), 1)
	}
	for i := range s.Tiers {
		t := &s.Tiers[i]
		if t.Factor == 0 {
			continue // there is nothing of them
		}
		for class := range t.Classes {
			add(-1, &t.Classes[class], s.tierAge(i+1), math.Exp2(bias*float64(class))/t.Factor, 1)
		}
	}
	return list
}

// tierAge is for how long there have been rules of a tier.
func (s *Stats) tierAge(tier int) (age time.Duration) {
	for i := range s.Rules {
		if s.Rules[i].Tier == tier {
			age = max(age, s.Rules[i].Age)
		}
	}
	return age
}

// memory is what it takes to reach back so many seconds, in bytes.
func (d *demand) memory(seconds float64) float64 {
	return min(seconds, d.seconds)*d.recent + max(seconds-d.seconds, 0)*d.older
}

// reach is how many seconds so many bytes reach back, if that is not for ever.
func (d *demand) reach(bytes float64) float64 {
	if first := d.seconds * d.recent; bytes > first {
		return d.seconds + (bytes-first)/d.older
	}
	return bytes / d.recent
}
