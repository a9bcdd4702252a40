package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// settings are those in force now.
func (d *Daemon) settings() *config.Settings { return &d.inForce.Load().Settings }

// budget is the memory that the service may use now, in bytes.
func (d *Daemon) budget() uint64 { return d.granted.Load() }

// rings is the part of a budget, at most, that is for capture rings.
func (d *Daemon) rings(budget uint64) int {
	if d.replays != nil {
		return 0
	}
	return int(budget) / ringShare
}

// captureConfig is what the loop is to do by the settings.
func (d *Daemon) captureConfig(s *config.Loaded, budget uint64) (capture.Config, error) {
	filter, err := captureFilter(s.CaptureFilter)
	exclude := s.Exclude
	if s.Withheld() {
		exclude = []string{"*"}
	}
	return capture.Config{
		Include:     s.Interfaces,
		Exclude:     exclude,
		Promiscuous: s.Promiscuous,
		Filter:      filter,
		RingBytes:   d.rings(budget),
		MinRing:     leastRing,
	}, err
}

// watchSettings applies changes of the settings until ctx is done.
func (d *Daemon) watchSettings(ctx context.Context) {
	d.o.Loader.Watch(ctx, d.reload, func(location string, err error) {
		eventlog.SettingWrong(location, fmt.Sprintf("%v; it is read every half minute instead", err)).Log(d.log)
	})
}

// reload reads the settings anew and applies what has changed.
func (d *Daemon) reload() {
	last := d.inForce.Load()
	now := d.o.Loader.Load(last)
	for _, problem := range now.Problems {
		if !slices.Contains(last.Problems, problem) {
			eventlog.SettingWrong(problem.Where, problem.What()).Log(d.log)
		}
	}
	changes := config.Diff(&last.Settings, &now.Settings)
	for _, change := range changes {
		d.reportChange(change, now.Origin(change.Key))
	}
	began := last.Withheld() && !now.Withheld()
	if began {
		d.coverage.add(control.CoverageEntry{
			Time: time.Now(), Kind: "settings",
			Text: "the settings are right that had kept everything from being recorded since the start",
		})
	}
	// Memory that could not be had may be there now, changes or not.
	d.apply(now, began || len(changes) > 0)
	if !slices.Equal(last.Retain, now.Retain) {
		d.setRules(&now.Settings)
	}
	if d.keeper != nil {
		d.keeper.Configure(keeperSettings(&now.Settings))
	}
	d.inForce.Store(now) // when it is so: pcctl config set waits for it
}

// reportChange tells of a setting that has changed, and where it stands what is
// recorded, if that depends on it.
func (d *Daemon) reportChange(change config.Change, origin config.Origin) {
	field, _ := config.FieldByKey(change.Key)
	from, to := show(change.Old), show(change.New)
	how := origin.String()
	if field.Restart {
		how += "; it applies after a restart"
	}
	eventlog.SettingChanged(change.Key, from, to, how).Log(d.log)
	if field.KeepsOut || slices.Contains(shapesPast, change.Key) {
		d.coverage.add(control.CoverageEntry{
			Time: time.Now(), Kind: "settings",
			Text: fmt.Sprintf("%s was changed from %s to %s (%s)", change.Key, from, to, how),
		})
	}
}

// shapesPast are the settings that decide what is there of the past, beside those that
// keep packets out.
var shapesPast = []string{"promiscuous", "retain", "bias", "ram-percent", "ram-size"}

// show is a value for people.
func show(words config.Words) string {
	if len(words) == 0 {
		return "nothing"
	}
	return words.String()
}

// apply brings the service in line with settings that were loaded.
func (d *Daemon) apply(s *config.Loaded, changed bool) {
	if level, err := logrus.ParseLevel(s.LogLevel); err == nil {
		d.log.SetLevel(level)
	}
	d.cache.SetBias(s.Bias)
	before, budget := d.budget(), config.Budget(&s.Settings, d.o.Loader.TotalRAM)
	if d.loop != nil && (changed || budget != before) {
		// Rings give memory back at once or when they can, and take more only
		// when they need it.
		cfg, err := d.captureConfig(s, min(before, budget))
		if err != nil { // which Load would not have let through
			eventlog.SettingWrong("capture-filter", err.Error()).Log(d.log)
			return
		}
		d.loop.SetConfig(cfg)
		defer func() {
			cfg.RingBytes = d.rings(d.budget())
			d.loop.SetConfig(cfg)
		}()
	}
	if budget == before {
		return
	}
	if err := d.cache.Resize(int(budget) - d.rings(budget)); err != nil {
		eventlog.MemoryNotResized(budget, err).Log(d.log)
		return
	}
	d.granted.Store(budget)
	eventlog.MemoryResized(before, budget).Log(d.log)
}

// needRestart are the settings that were changed since the start and apply
// only after the next.
func (d *Daemon) needRestart(now *config.Loaded) []config.Change {
	return slices.DeleteFunc(config.Diff(&d.o.Loaded.Settings, &now.Settings), func(c config.Change) bool {
		field, ok := config.FieldByKey(c.Key)
		return !ok || !field.Restart
	})
}

// settingWarnings are sentences about settings that are not in force.
func (d *Daemon) settingWarnings() []string {
	now := d.inForce.Load()
	var list []string
	for _, problem := range now.Problems {
		list = append(list, fmt.Sprintf("A setting is wrong at %v.", problem))
	}
	for _, change := range d.needRestart(now) {
		list = append(list, fmt.Sprintf("%s was changed to %s, which applies after a restart of the service.", change.Key, show(change.New)))
	}
	if wanted, refused := d.memoryRefused(now); refused {
		list = append(list, fmt.Sprintf("The settings allow %s of memory, but it is %s: the log says why.", wanted, config.FormatBytes(d.budget())))
	}
	return list
}

// memoryRefused reports whether the memory that settings allow could not be had,
// and how much that is.
func (d *Daemon) memoryRefused(now *config.Loaded) (wanted string, refused bool) {
	budget := config.Budget(&now.Settings, d.o.Loader.TotalRAM)
	return config.FormatBytes(budget), budget != d.budget()
}
