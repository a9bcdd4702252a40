package pcctl

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
)

// clean makes text safe to print: names and descriptions may come from a
// replayed file, and a terminal obeys what it is sent.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens s to a number of terminal columns.
func cut(s string, columns int) string {
	if uniseg.StringWidth(s) <= columns {
		return s
	}
	var b strings.Builder
	width := 0
	for state, rest := -1, s; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width+w > columns-1 {
			break
		}
		width += w
		b.WriteString(cluster)
	}
	if columns < 1 {
		return ""
	}
	return b.String() + "…"
}

// grouped writes a number with a comma between thousands.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counted is "1 packet", "2,000 packets".
func counted(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// span writes a length of time in its two largest units: "6 d 4 h", "41 min".
func span(d time.Duration) string {
	if d < time.Second {
		return "less than 1 s"
	}
	units := []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.length {
			continue
		}
		text := strconv.FormatInt(int64(d/u.length), 10) + " " + u.name
		// Seconds beside minutes would only make a watched table restless.
		if i+1 < len(units)-1 {
			if rest := d % u.length / units[i+1].length; rest > 0 {
				text += " " + strconv.FormatInt(int64(rest), 10) + " " + units[i+1].name
			}
		}
		return text
	}
	return ""
}

// seconds turns a number from JSON into a length of time that fits.
func seconds(s float64) time.Duration {
	const most = float64(1<<63-1) / float64(time.Second)
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, most/2) * float64(time.Second))
}

// stamp writes a time as RFC 3339 in the local zone.
func stamp(t time.Time) string { return t.Local().Format(time.RFC3339) }
