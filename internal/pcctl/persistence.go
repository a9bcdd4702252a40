package pcctl

import (
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// keptText says whether the cache is kept over a restart, and since when; empty
// for a service that cannot tell.
func keptText(st control.Status) string {
	p := st.Persistence
	switch p.State {
	case "":
		return ""
	case control.PersistenceOff:
		return "not over a restart: " + p.Note
	case control.PersistenceWaiting:
		return "not over a restart for now, see the warning"
	case control.PersistenceRestoring:
		text := "what an earlier run has left is being read back"
		if p.Restore != nil {
			text += fmt.Sprintf(" (%.0f %%)", 100*p.Restore.Done)
		}
		return text
	}
	text := "not yet saved in this run"
	if s := p.LastSave; s != nil {
		text = "saved " + span(st.Time.Sub(s.Time)) + " ago"
		if st.Time.IsZero() {
			text = "saved " + stamp(s.Time)
		}
		text += fmt.Sprintf(", %s in %s", counted(s.Packets, "packet"), bytesText(s.FileBytes))
		if s.Missing.Packets > 0 {
			text += ", without " + grouped(s.Missing.Packets) + " for which there was no time"
		}
	}
	switch {
	case p.State == control.PersistenceSaving:
		text += ", being saved now"
	case p.NextCheckpoint.IsZero() && p.CheckpointNote == "":
		text += ", next at the stop"
	case p.NextCheckpoint.IsZero():
		text += ", next at the stop (" + p.CheckpointNote + ")"
	default:
		text += ", next " + inFuture(p.NextCheckpoint.Sub(st.Time))
		if p.CheckpointNote != "" {
			text += " (" + p.CheckpointNote + ")"
		}
	}
	return text
}

func inFuture(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return "in " + span(d)
}

// restoredText says what came back from an earlier run; empty if nothing did.
func restoredText(p control.Persistence) string {
	r := p.Restore
	if r == nil || p.State == control.PersistenceRestoring {
		return ""
	}
	how := "at its stop"
	if r.Checkpoint {
		how = "by its last checkpoint"
	}
	text := fmt.Sprintf("%s (%s) that an earlier run saved %s on %s",
		counted(r.Packets, "packet"), config.FormatBytes(r.Bytes), how, stamp(r.Saved))
	if r.SetBackSeconds > 0 {
		text += ", by a clock that has been set back since by " + span(seconds(r.SetBackSeconds)) + " or more"
	} else {
		text += ", " + span(seconds(r.AwaySeconds)) + " before this one began"
	}
	if r.Missing.Packets > 0 {
		text += "; " + grouped(r.Missing.Packets) + " of the file did not come back"
	}
	return text
}
