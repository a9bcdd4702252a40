package pcctl

import (
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
)

// reaches says how far back a sealed file that is not damaged has the beginnings
// of the sessions under no rule, as status does of a cache. Ages count back from
// when it was sealed.
func reaches(r *seal.Report) []control.Horizon {
	state := &r.Head.State
	waiting, answeredAll := state.Age, true
	for i := range state.Logs {
		if l := &state.Logs[i]; l.Unanswered {
			age, complete := reach(state, l, &r.Logs[i])
			waiting, answeredAll = min(waiting, age), answeredAll && complete
		}
	}
	of := func(class int) (age time.Duration, complete bool) {
		age, complete = state.Age, true
		for i := range state.Logs {
			l := &state.Logs[i]
			if l.Unanswered || l.Factor != 1 || l.Class > class {
				continue
			}
			h, whole := reach(state, l, &r.Logs[i])
			if l.Late != nil && waiting < l.Late.Oldest { // first packets of these sessions stood there
				h, whole = min(h, waiting), false
			}
			age, complete = min(age, h), complete && whole
		}
		return age, complete
	}
	var list []control.Horizon
	for _, class := range control.Beginnings {
		age, complete := of(class)
		list = append(list, control.Horizon{UpToBytes: 1024 << class, Seconds: age.Seconds(), Complete: complete})
	}
	const all = 1 << 16
	age, complete := of(all)
	return append(list, control.Horizon{Seconds: min(age, waiting).Seconds(), Complete: complete && answeredAll})
}

// reach is the age up to which all of a log's packets are in a file that is not
// damaged. Of a log that was not written to its end they are up to the newest
// packet of the last segment.
func reach(state *record.State, l *record.Log, found *seal.Content) (age time.Duration, complete bool) {
	age, complete = state.Age, true
	if l.Lost != nil {
		age, complete = min(age, *l.Lost), false
	}
	if found.Segments < l.Segments {
		age, complete = min(age, found.Reach), false
	}
	return age, complete
}
