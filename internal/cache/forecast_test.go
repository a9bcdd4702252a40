package cache

import (
	"math"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// replayDays puts the trace into a cache so many times, as if all days were the
// same.
func (o *office) replayDays(t *testing.T, c *Cache, days int) {
	t.Helper()
	id := o.announce(t, c)
	day := o.packets[len(o.packets)-1].Time - o.packets[0].Time + int64(time.Second)
	batch := make([]packet.Packet, 0, 256)
	for n := range days {
		for i := range o.packets {
			p := o.packets[i]
			p.Interface = id
			p.Time += int64(n) * day
			if batch = append(batch, p); len(batch) == cap(batch) {
				c.Replay(batch)
				batch = batch[:0]
			}
		}
	}
	c.Replay(batch)
}

// TestForecastOfOffice: what a cache of 10 MiB says that one of 20 MiB would hold
// after five equal days is what one of 20 MiB does hold, and the other way round.
func TestForecastOfOffice(t *testing.T) {
	if raceEnabled {
		t.Skip("takes too long under the race detector")
	}
	o := needOffice(t)
	const days = 5 // until the first KiB has to go from 20 MiB, too
	budgets := [2]int{10 << 20, 20 << 20}
	var stats [2]Stats
	for i, bytes := range budgets {
		c := newCache(t, Options{Bytes: bytes, Bias: 2, Compress: true})
		o.replayDays(t, c, days)
		stats[i] = c.Stats()
	}
	for from := range budgets {
		for to := range budgets {
			f, ok := stats[from].Forecast(2, budgets[to], stats[to].Age)
			if !ok {
				t.Fatal("no forecast")
			}
			// Loss comes in bursts of traffic, from one to the next of which horizons
			// jump: of the middle of sessions the larger cache can by chance have
			// lost something later than the smaller one. Heads go smoothly.
			check := func(what any, got, want time.Duration) {
				bound := 4.
				switch {
				case from == to:
					bound = 1.05
				case what == 0:
					bound = 1.3
				case what == 2:
					bound = 1.5
				}
				factor := got.Seconds() / want.Seconds()
				t.Logf("%d MiB of %d MiB, class %v: %v, in truth %v, %.2f times as much", budgets[from]>>20, budgets[to]>>20, what, got.Round(time.Second), want.Round(time.Second), factor)
				if !(math.Max(factor, 1/factor) <= bound) {
					t.Errorf("which is beyond a factor of %v", bound)
				}
			}
			for _, class := range []int{0, 2, 4, 6, 10, NumClasses - 1} {
				want, complete := stats[to].PromiseAnswered(class)
				if complete {
					t.Fatalf("class %d is complete, and no measure", class)
				}
				check(class, f.Promise(class), want)
			}
			check("of unanswered packets", f.Unanswered, stats[to].Unanswered.Horizon)
		}
	}
}

// even are the figures of a cache of 16 MiB with bias 1 to which a class of
// factor 1 for each of the rates, in bytes a second, has come for so long, none of
// them compressed, and that keeps them as long as the rule says.
func even(age time.Duration, rates ...float64) *Stats {
	s := &Stats{Age: age, Budget: 16 << 20}
	demands := make([]demand, len(rates))
	for class, rate := range rates {
		demands[class] = demand{class: class, weight: math.Exp2(float64(class)), share: 1, recent: rate, older: rate}
		s.Stored.Bytes += uint64(rate * age.Seconds())
	}
	pages := float64(layOut(s.Budget, 0).pages * pageSize)
	kept := keptFor(demands, pages, float64(s.Budget)/8/s.recordRate(), age.Seconds())
	for class, rate := range rates {
		c := &s.Classes[class]
		c.Horizon = time.Duration(kept[class] * float64(time.Second))
		c.Complete = c.Horizon >= age
		c.Memory = int(rate * kept[class])
		c.Held.Bytes = uint64(c.Memory)
		c.Evicted.Bytes = uint64(rate*age.Seconds()) - c.Held.Bytes
	}
	return s
}

func TestForecast(t *testing.T) {
	const day = 24 * time.Hour
	pages := func(mib int) float64 { return float64(layOut(mib<<20, 0).pages * pageSize) }
	rule := even(10*day, 40, 0, 400)
	rule.Tiers = []TierStats{{Factor: 4}}
	rule.Tiers[0].Classes[0] = ClassStats{Held: Count{Bytes: 40 * 864000}, Memory: 40 * 864000, Horizon: 10 * day}
	rule.Rules = []RuleStats{{Factor: 4, Tier: 1, Age: 10 * day}}
	spared := func(mib int, rate float64) float64 { return float64(mib<<20) / 8 / rate }
	for _, test := range []struct {
		name  string
		stats *Stats
		mib   int
		after time.Duration
		want  map[int]float64 // seconds
	}{
		{"of one class all is for that", even(10*day, 100), 32, LongRun, map[int]float64{0: pages(32) / 100, 5: pages(32) / 100}},
		{"of two, each its part", even(10*day, 40, 0, 400), 32, LongRun, map[int]float64{0: pages(32) / 140, 1: pages(32) / 140, 2: pages(32) / 560}},
		{"in half of the memory", even(10*day, 40, 0, 400), 8, LongRun, map[int]float64{0: pages(8) / 140, 2: pages(8) / 560}},
		{"the newest eighth is spared", even(10*day, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10000), 32, LongRun, map[int]float64{10: spared(32, 10400)}},
		{"nothing evicted yet", even(time.Hour, 100), 32, LongRun, map[int]float64{0: pages(32) / 100}},
		{"and nothing will be for some time", even(time.Hour, 100), 32, 2 * time.Hour, map[int]float64{0: 7200}},
		{"as it is", even(10*day, 40, 0, 400), 16, LongRun, map[int]float64{0: pages(16) / 140}},
		{"hardly anything", even(10*day, 0.0001), 32, LongRun, map[int]float64{0: LongRun.Seconds()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, ok := test.stats.Forecast(1, test.mib<<20, test.after)
			if !ok {
				t.Fatal("no forecast")
			}
			for class, want := range test.want {
				if got := f.Promise(class).Seconds(); math.Abs(got-want) > 0.1*want {
					t.Errorf("class %d: %.0f s, want %.0f", class, got, want)
				}
			}
		})
	}
	with, _ := rule.Forecast(1, 32<<20, LongRun)
	without, _ := even(10*day, 40, 0, 400).Forecast(1, 32<<20, LongRun)
	if got, want := with.Promise(0).Seconds(), without.Promise(0).Seconds(); got > want*0.8 {
		t.Errorf("beside sessions under a rule it reaches %.0f s back, without them %.0f", got, want)
	}
	bursty := even(10*day, 40, 0, 400)
	bursty.Classes[2].Horizon /= 2
	burst, _ := bursty.Forecast(1, 32<<20, LongRun)
	if got, want := burst.Promise(2).Seconds(), without.Promise(2).Seconds(); got > want*0.75 || got < want*0.5 {
		t.Errorf("a class that has lost half of what it should reaches %.0f s back, another %.0f", got, want)
	}
	late := even(10*day, 40, 0, 400)
	late.Unanswered = ClassStats{Held: Count{Bytes: 1 << 19}, Memory: 1 << 19, Evicted: Count{Bytes: 9 << 19}, Horizon: day, Next: day}
	late.Classes[0].Late = true
	for _, lost := range []bool{false, true} {
		if lost { // with the unanswered, and so before its turn
			late.Classes[0].Next, late.Classes[0].Horizon = late.Classes[0].Horizon, day/2
		}
		f, _ := late.Forecast(1, 16<<20, LongRun)
		want := f.Unanswered
		if lost {
			want /= 2
		}
		if got := f.Promise(0); got != want {
			t.Errorf("the first KiB goes with the unanswered packets, and reaches %v back, want %v", got, want)
		}
	}
	if _, ok := (&Stats{Budget: 16 << 20}).Forecast(2, 32<<20, LongRun); ok {
		t.Error("a forecast from nothing")
	}
}
