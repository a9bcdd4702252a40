package pcctl

import (
	"github.com/packetcache/packetcache/internal/control"
)

// horizonRows says how far back the cache reaches, in words: what, and since
// when. Of several beginnings that reach equally far only the longest is named,
// because it contains the others.
func horizonRows(horizons []control.Horizon, unanswered control.Horizon) [][2]string {
	var rows [][2]string
	for i, h := range horizons {
		reach := horizonReach(h)
		if i+1 < len(horizons) && horizonReach(horizons[i+1]) == reach {
			continue
		}
		what := "everything"
		if h.UpToBytes > 0 {
			what = "the first " + bytesText(h.UpToBytes)
			if len(rows) == 0 {
				what += " of every session"
			}
		}
		rows = append(rows, [2]string{what, reach})
	}
	// Worth a line only where a scan or the like has cost some.
	if rows != nil && !unanswered.Complete && unanswered.Seconds > 0 {
		rows = append(rows, [2]string{"first packets that nothing followed", horizonReach(unanswered)})
	}
	if rows == nil {
		return [][2]string{{"nothing is recorded yet", ""}}
	}
	return rows
}

func horizonReach(h control.Horizon) string {
	age := span(seconds(h.Seconds))
	if h.Complete {
		return "since capture began, " + age + " ago"
	}
	return age
}
