package daemon

import (
	"strings"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// retainRules makes the rules of the cache of the items of the setting.
func retainRules(items []string) ([]cache.Rule, error) {
	var rules []cache.Rule
	for _, item := range items {
		rule, err := config.ParseRetain(item)
		if err != nil {
			return nil, err
		}
		set, err := parseFilter(rule.Filter)
		if err != nil {
			return nil, err
		}
		rules = append(rules, cache.Rule{Filter: rule.Filter, Factor: rule.Factor, Match: set.Match})
	}
	return rules, nil
}

// setRules applies the setting.
func (d *Daemon) setRules(s *config.Settings) {
	rules, err := retainRules(s.Retain)
	if err == nil {
		err = d.cache.SetRules(rules)
	}
	if err != nil { // Load would not have let it through
		eventlog.SettingWrong("retain", err.Error()).Log(d.log)
	}
}

// coverRules tells where it stands what is recorded that some is not, from the
// start on.
func (d *Daemon) coverRules() {
	var out []string
	for _, item := range d.settings().Retain {
		if rule, err := config.ParseRetain(item); err == nil && rule.Factor == 0 {
			out = append(out, rule.Filter)
		}
	}
	if len(out) > 0 {
		d.coverage.add(control.CoverageEntry{
			Time: time.Now(), Kind: "settings", Text: "not recorded, by the setting retain: " + strings.Join(out, ", "),
		})
	}
}

// rules are those of the cache, with what they promise.
func (d *Daemon) rules(stats *cache.Stats, now time.Time) []control.RetainRule {
	var list []control.RetainRule
	for i := range stats.Rules {
		r := &stats.Rules[i]
		rule := control.RetainRule{Filter: r.Filter, Factor: r.Factor, Sessions: r.Sessions, Seen: control.Count(r.Seen)}
		if r.Factor > 0 {
			rule.Horizons = d.horizons(now, func(class int) (time.Duration, bool) { return stats.PromiseOf(r, class) }, &stats.Unanswered)
		}
		list = append(list, rule)
	}
	return list
}
