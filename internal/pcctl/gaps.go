package pcctl

import (
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// settleIn is how long the service may take at its start to open the interfaces.
const settleIn = 10 * time.Second

// gapNote says that not everything was recorded in the time that the horizons
// are about, by the coverage log, and where to see it; empty if all was.
func gapNote(st control.Status) string {
	if st.Replay || len(st.Coverage) == 0 || len(st.Horizons) == 0 || st.Horizons[0].Seconds == 0 {
		return ""
	}
	from := st.Coverage[0].Time.Add(settleIn)
	if reach := st.Time.Add(-seconds(st.Horizons[0].Seconds)); reach.After(from) {
		from = reach
	}
	up := upBefore(st)
	partly, nothing := -1, -1 // the last entries that say so
	for i, e := range st.Coverage {
		if i > 0 && (e.Kind == "start" || e.Kind == "stop" || e.Kind == "gap") {
			// What came back from an earlier run is from before.
			if clear(up); e.Time.After(from) {
				nothing = i
			}
			continue
		}
		if e.Kind != "up" && e.Kind != "down" || e.Interface == "" || e.Kind == "down" && !up[e.Interface] {
			continue // as one that is asked for and not there
		}
		// Recording may have been off since before from.
		if e.Time.After(from) {
			partly = i
			if len(up) == 0 {
				nothing = i
			}
		}
		if e.Kind == "up" {
			up[e.Interface] = true
		} else if delete(up, e.Interface); len(up) == 0 && e.Time.After(from) {
			nothing = i
		}
	}
	switch recording := len(up) > 0; {
	case nothing >= 0:
		return "recording was interrupted, " + whereLogged(st, nothing)
	case !recording && st.Time.After(from):
		return "nothing is recorded now"
	case partly >= 0:
		return "not on all interfaces all the time, " + whereLogged(st, partly)
	}
	return ""
}

// upBefore are the interfaces that were recorded before the log begins, as far as
// it goes: they are recorded now, and it does not say since when, because flapping
// ones have pushed that out.
func upBefore(st control.Status) map[string]bool {
	up := map[string]bool{}
	for _, i := range st.Interfaces {
		if i.State == control.InterfaceCapturing {
			up[i.Name] = true
		}
	}
	for _, e := range st.Coverage {
		if e.Kind == "up" {
			delete(up, e.Interface)
		}
	}
	return up
}

func whereLogged(st control.Status, entry int) string {
	if entry >= len(st.Coverage)-recentCoverage {
		return "see Lately"
	}
	return "see coverage in --json"
}
