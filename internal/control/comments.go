package control

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A pcapng says of itself, in comments of its section, what is in it and what is
// not: whoever finds nothing there has to know whether nothing was to be seen. A
// dump and a sealed file that is decrypted say it in the same words.

// Beginnings are the classes whose horizons are told: the first 1, 4, 16 and 64 KiB
// and the first MiB of every session.
var Beginnings = [...]int{0, 2, 4, 6, 10}

// KeptComment begins such a comment; lines of Kept follow.
const KeptComment = "Older sessions keep their beginning: the last packets of a session are dropped first.\n"

// maxComment keeps the coverage log in a pcapng within what an option holds.
const maxComment = 60 << 10

// Kept is a line that says how far back some sessions are there, all of them
// since something began.
func (h Horizon) Kept(sessions, since string) string {
	what := "everything"
	if h.UpToBytes > 0 {
		what = fmt.Sprintf("the first %d KiB of %s of more than one packet", h.UpToBytes>>10, sessions)
	}
	age := (time.Duration(h.Seconds) * time.Second).String()
	if h.Complete {
		return fmt.Sprintf("%s: complete since %s began, %s ago\n", what, since, age)
	}
	return fmt.Sprintf("%s: the last %s\n", what, age)
}

// CoverageComment tells when and where the service was looking, of a long log by
// its newest entries.
func CoverageComment(entries []CoverageEntry) string {
	const title = "When and where PacketCache was looking:\n"
	var lines []string
	for length := len(title); len(lines) < len(entries); {
		e := entries[len(entries)-1-len(lines)]
		line := strings.Join([]string{e.Time.Format(time.RFC3339), e.Kind, e.Interface, e.Text}, " ") + "\n"
		if length += len(line); length > maxComment {
			break
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return title + strings.Join(lines, "")
}
