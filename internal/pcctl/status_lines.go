package pcctl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// recentCoverage is how much of the coverage log is shown, in lines; --json
// shows all.
const recentCoverage = 8

// statusLines is the status for a person.
func statusLines(st control.Status) []string {
	lines := []string{clean(fmt.Sprintf("PacketCache %s on %s, pid %d", st.Version, st.Host, st.PID)), ""}
	overview := table{header: []string{"", ""}}
	overview.add("State", stateText(st))
	overview.add("Memory", memoryText(st.Memory))
	overview.add("Packets", packetsText(st.Totals))
	overview.add("Lost", lostText(st.Totals))
	overview.add("Sessions", sessionsText(st.Sessions))
	overview.add("Oldest", oldestText(st))
	if text := restoredText(st.Persistence); text != "" {
		overview.add("Restored", text)
	}
	if text := keptText(st); text != "" {
		overview.add("Kept", text)
	}
	overview.add("Dumps", fmt.Sprintf("%d active, %d waiting, %s served", st.Dumps.Active, st.Dumps.Waiting, grouped(st.Dumps.Served)))
	lines = append(lines, overview.lines()...)

	back := "How far back"
	if len(st.Retain) > 0 {
		back += ", unless a rule below says otherwise"
	}
	if st.Replay && !st.NewestPacket.IsZero() {
		back += " in the time of the files, from their newest packet at " + stamp(st.NewestPacket)
	}
	lines = append(lines, "", back)
	reach := table{header: []string{"", "", ""}}
	for _, row := range horizonRows(st.Horizons, st.Unanswered, st.Replay) {
		reach.add("", row[0], row[1])
	}
	lines = append(lines, indented(reach.lines())...)
	var but []string
	if st.Totals.Dropped > 0 {
		but = append(but, counted(st.Totals.Dropped, "packet")+" dropped before may be missing anywhere")
	}
	if note := gapNote(st); note != "" {
		but = append(but, note)
	}
	if len(but) > 0 {
		lines = append(lines, "  (of what was captured; "+strings.Join(but, "; ")+")")
	}

	if st.Totals.Dropped > 0 {
		lines = append(lines, indented(dropAdvice)...)
	}

	if len(st.Retain) > 0 {
		lines = append(lines, "", "Retention rules; the first that matches a session counts")
		lines = append(lines, indented(ruleLines(st.Retain))...)
	}

	lines = append(lines, "", "Interfaces")
	lines = append(lines, indented(interfaceLines(st.Interfaces, false))...)

	if len(st.Coverage) > 0 {
		lines = append(lines, "", "Lately")
		lines = append(lines, indented(coverageLines(st.Coverage))...)
	}
	for i, warning := range st.Warnings {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, "Warning: "+clean(warning))
	}
	return lines
}

// dropAdvice is what helps where packets were dropped: docs/capture.md has the rest.
var dropAdvice = []string{
	"The machine was too busy to take them in time. More memory holds longer bursts (pcctl",
	"config set ram-percent); a capture-filter keeps out what need not be recorded.",
}

func indented(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

func stateText(st control.Status) string {
	text := string(st.State)
	if !st.Since.IsZero() {
		text += " since " + stamp(st.Since)
		if age := st.Time.Sub(st.Since); !st.Time.IsZero() && age >= 0 {
			text += " (" + span(age) + ")"
		}
	}
	return text
}

func memoryText(m control.Memory) string {
	text := fmt.Sprintf("%s of %s", bytesText(m.UsedBytes), bytesText(m.BudgetBytes))
	if m.BudgetBytes > 0 {
		text += fmt.Sprintf(" (%d %%)", 100*m.UsedBytes/m.BudgetBytes)
	}
	text += ", packets take " + bytesText(m.CacheBytes)
	if m.UncompressedBytes > m.CacheBytes {
		text += ", compressed from " + bytesText(m.UncompressedBytes)
	}
	if m.Locked {
		text += ", locked against swapping"
	} else {
		text += ", not locked against swapping"
	}
	if m.LockedNote != "" {
		text += " (" + m.LockedNote + ")"
	}
	return text
}

func bytesText(n int64) string { return config.FormatBytes(uint64(max(n, 0))) }

func packetsText(t control.Totals) string {
	text := fmt.Sprintf("%s seen (%s)", grouped(t.Seen.Packets), config.FormatBytes(t.Seen.Bytes))
	if t.Restored.Packets > 0 {
		text += fmt.Sprintf(", %s restored (%s)", grouped(t.Restored.Packets), config.FormatBytes(t.Restored.Bytes))
	}
	text += fmt.Sprintf(", %s stored", grouped(t.Stored.Packets))
	if t.Evicted.Packets > 0 {
		text += fmt.Sprintf(", %s of them evicted since", grouped(t.Evicted.Packets))
	}
	return text
}

// lostText says what never reached the cache, empty when everything did.
func lostText(t control.Totals) string {
	var parts []string
	if t.Dropped > 0 {
		parts = append(parts, counted(t.Dropped, "packet")+" dropped by kernel or driver")
	}
	if t.Damaged.Packets > 0 {
		parts = append(parts, counted(t.Damaged.Packets, "packet")+" damaged in the cache")
	}
	reasons := make([]string, 0, len(t.Refused))
	for reason, n := range t.Refused {
		if n > 0 {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		parts = append(parts, fmt.Sprintf("%s refused (%s)", grouped(t.Refused[reason]), reason))
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func sessionsText(s control.Sessions) string {
	text := fmt.Sprintf("%s in the table (room for %s), %s seen", grouped(s.Live), grouped(s.Capacity), grouped(s.Seen))
	if s.Unanswered > 0 {
		text += ", " + grouped(s.Unanswered) + " unanswered"
	}
	if s.Overflowed > 0 {
		text += ", " + grouped(s.Overflowed) + " pushed out while live"
	}
	return text
}

func oldestText(st control.Status) string {
	if st.OldestPacket.IsZero() {
		return "no packets yet"
	}
	text := stamp(st.OldestPacket)
	if age := st.Time.Sub(st.OldestPacket); !st.Time.IsZero() && age >= 0 {
		text += " (" + span(age) + " ago)"
	}
	return text
}

func coverageLines(log []control.CoverageEntry) []string {
	t := table{header: []string{"", "", "", ""}}
	for _, e := range log[max(0, len(log)-recentCoverage):] {
		t.add(stamp(e.Time), e.Kind, e.Interface, e.Text)
	}
	return t.lines()
}
