package pcctl

import (
	"strconv"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// horizonRows says how far back the cache reaches, in words: what, and since
// when; of a replay that all is there, since the time between packets of files is no
// measure of how long the cache holds them. Of several beginnings that reach equally far only the longest is named,
// because it contains the others.
func horizonRows(horizons []control.Horizon, unanswered control.Horizon, replay bool) [][2]string {
	var rows [][2]string
	for i, h := range horizons {
		reach := horizonReach(h, replay)
		if i+1 < len(horizons) && horizonReach(horizons[i+1], replay) == reach {
			continue
		}
		rows = append(rows, [2]string{beginning(h.UpToBytes, len(rows) == 0), reach})
	}
	// Worth a line only where a scan or the like has cost some.
	if rows != nil && !unanswered.Complete && unanswered.Seconds > 0 {
		rows = append(rows, [2]string{"first packets that nothing followed", horizonReach(unanswered, replay)})
	}
	if rows == nil {
		return [][2]string{{"nothing is recorded yet", ""}}
	}
	return rows
}

// beginning names what a horizon is of, the first one of several in full.
func beginning(upTo int64, first bool) string {
	switch {
	case upTo == 0:
		return "everything"
	case first:
		return "the first " + bytesText(upTo) + " of every session"
	}
	return "the first " + bytesText(upTo)
}

// ruleLines are the rules of the setting retain, and how far back the sessions
// under each reach.
func ruleLines(rules []control.RetainRule) []string {
	t := table{header: []string{"FILTER", "FACTOR", ">SESSIONS", ">PACKETS", ">BYTES", ">FIRST 1 KiB"}}
	for _, r := range rules {
		reach := "never stored"
		if len(r.Horizons) > 0 {
			reach = span(seconds(r.Horizons[0].Seconds))
			if r.Horizons[0].Complete {
				reach = "since the rule began, " + reach + " ago"
			}
		}
		t.add(r.Filter, "x"+strconv.FormatFloat(r.Factor, 'g', -1, 64), grouped(r.Sessions), grouped(r.Seen.Packets),
			config.FormatBytes(r.Seen.Bytes), reach)
	}
	return t.lines()
}

func horizonReach(h control.Horizon, replay bool) string {
	age := span(seconds(h.Seconds))
	switch {
	case h.Complete && replay:
		return "all that was read"
	case h.Complete:
		return "since capture began, " + age + " ago"
	}
	return age
}
