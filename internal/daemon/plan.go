package daemon

import (
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/control"
)

// plan says how far back the cache reaches, and would reach with other budgets.
func (d *Daemon) plan(req control.PlanRequest) (control.Plan, error) {
	stats := d.cache.Stats()
	now := time.Now()
	p := control.Plan{
		Time:        now,
		RAMBytes:    int64(d.o.Loader.TotalRAM),
		BudgetBytes: int64(d.budget()),
		Horizons:    d.horizons(now, stats.PromiseAnswered, &stats.Unanswered),
		Rates:       rates(&stats, d.memory(&stats, nil)),
	}
	if len(req.RAM) == 0 {
		p.Budgets = append(p.Budgets, d.planned(&stats, d.budget()))
	}
	for _, ram := range req.RAM {
		budget, err := d.o.Loader.BudgetOf(ram)
		if err != nil {
			return control.Plan{}, control.BadRAM(err)
		}
		planned := d.planned(&stats, budget)
		planned.RAM = ram
		p.Budgets = append(p.Budgets, planned)
	}
	return p, nil
}

// rates are what has come on average, in earlier runs of the service too as far as
// that was restored.
func rates(stats *cache.Stats, m control.Memory) control.Rates {
	r := control.Rates{Seconds: stats.Age.Seconds(), Compression: 1}
	if r.Seconds > 0 {
		r.PacketsPerSecond = float64(stats.Seen.Packets+stats.Restored.Packets+stats.Before.Packets) / r.Seconds
		r.BytesPerSecond = float64(stats.Seen.Bytes+stats.Restored.Bytes+stats.Before.Bytes) / r.Seconds
	}
	if m.CacheBytes > 0 {
		r.Compression = float64(m.UncompressedBytes) / float64(m.CacheBytes)
	}
	return r
}

// planned is what a budget would do in the long run.
func (d *Daemon) planned(stats *cache.Stats, budget uint64) control.PlannedBudget {
	b := control.PlannedBudget{BudgetBytes: int64(budget)}
	forecast, ok := stats.Forecast(d.settings().Bias, int(budget)-d.rings(budget), cache.LongRun)
	if !ok {
		return b
	}
	add := func(upTo int64, age time.Duration) {
		b.Horizons = append(b.Horizons, control.PlannedHorizon{UpToBytes: upTo, Seconds: age.Seconds(), Extrapolated: age > stats.Age})
	}
	for _, class := range control.Beginnings {
		add(1024<<class, forecast.Promise(class))
	}
	add(0, min(forecast.Promise(cache.NumClasses-1), forecast.Unanswered))
	return b
}
