package pcctl

import (
	"fmt"
	"strconv"
	"time"

	"github.com/packetcache/packetcache/internal/config"
)

// lines are a verification for a person.
func (v *verification) lines() []string {
	verdict := "good"
	switch {
	case v.Content == nil:
		verdict = "not opened"
	case !v.Good:
		verdict = "NOT good"
	}
	facts := table{header: []string{"", ""}}
	facts.add("format", "version "+strconv.Itoa(v.FormatVersion))
	facts.add("identity", v.Identity)
	facts.add("opens with", countedKeys(v.Recipients)+": that of the identity"+orRecovery(v.Recipients))
	facts.add("size", bytesText(v.Size))
	lines := []string{clean(v.File + ": " + verdict)}
	if v.Content == nil {
		return append(lines, indented(facts.lines())...)
	}
	c := v.Content
	facts.add("written by", c.Program+" on "+c.Host)
	facts.add("sealed", stamp(c.Saved)+", "+occasion(v.report.Head))
	facts.add("reaches back", span(seconds(c.Seconds)))
	facts.add("holds", fmt.Sprintf("%s of %s, in %s", counted(c.Packets, "packet"), config.FormatBytes(c.Bytes), counted(uint64(c.Segments), "segment")))
	if c.Packets > 0 {
		facts.add("first", stamp(c.Oldest))
		facts.add("last", fmt.Sprintf("%s (%s later)", stamp(c.Newest), span(c.Newest.Sub(c.Oldest))))
	}
	for _, fact := range endFacts(v.report) {
		facts.add(fact[0], fact[1])
	}
	facts.add("interfaces", valuesText(c.Interfaces))
	if n := len(c.Coverage); n > 0 {
		facts.add("coverage", fmt.Sprintf("%s, from %s to %s", counted(uint64(n), "line"), stamp(c.Coverage[0].Time), stamp(c.Coverage[n-1].Time)))
	}
	lines = append(lines, indented(facts.lines())...)
	logs := table{header: []string{"LOG", "FACTOR", ">SEGMENTS", ">PACKETS", ">BYTES", "OLDEST", "NEWEST"}}
	for _, l := range c.Logs {
		logs.add(logName(&l), "x"+strconv.FormatFloat(l.Factor, 'g', -1, 64), grouped(uint64(max(l.Segments, 0))),
			grouped(l.Packets), config.FormatBytes(l.Bytes), stampOr(l.Oldest), stampOr(l.Newest))
	}
	if len(logs.rows) > 0 {
		lines = append(append(lines, ""), logs.lines()...)
	}
	return lines
}

// logName is what a log holds.
func logName(l *verifiedLog) string {
	switch {
	case l.Unanswered:
		return "unanswered"
	case l.Class == 0:
		return "first 1 KiB"
	case l.Class < 0 || l.Class > 40: // nonsense
		return "class " + strconv.Itoa(l.Class)
	}
	return "to " + bytesText(1024<<l.Class)
}

func stampOr(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}
