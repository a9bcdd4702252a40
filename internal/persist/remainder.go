package persist

import (
	"fmt"
	"strings"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/record"
)

// A remainder is what is not yet written, or read, of the logs of a state.
type remainder []logRemainder

type logRemainder struct {
	log  *record.Log
	left Count
}

func newRemainder(state *record.State) remainder {
	r := make(remainder, len(state.Logs))
	for i := range state.Logs {
		log := &state.Logs[i]
		r[i] = logRemainder{log, Count{log.Packets, log.Bytes}}
	}
	return r
}

// passed takes away a segment.
func (r remainder) passed(seg *record.Segment) {
	if seg.Log < 0 || seg.Log >= len(r) {
		return
	}
	left := &r[seg.Log].left
	left.Packets -= min(left.Packets, uint64(seg.Records))
	left.Bytes -= min(left.Bytes, seg.Captured)
}

func (r remainder) total() (c Count) {
	for i := range r {
		c.Packets += r[i].left.Packets
		c.Bytes += r[i].left.Bytes
	}
	return c
}

// heads reports whether beginnings of sessions are among it.
func (r remainder) heads() bool {
	for i := range r {
		if log := r[i].log; log.Class == 0 && !log.Unanswered && r[i].left.Packets > 0 {
			return true
		}
	}
	return false
}

// String says what is left, the most important first: "1200 of 5000 packets of
// sessions beyond 64 KiB".
func (r remainder) String() string {
	var parts []string
	for i := range r {
		if left := r[i].left.Packets; left > 0 {
			parts = append(parts, fmt.Sprintf("%d of %d packets %s", left, r[i].log.Packets, place(r[i].log)))
		}
	}
	return strings.Join(parts, ", ")
}

// place says in words where in their sessions the packets of a log stand.
func place(log *record.Log) string {
	if log.Unanswered {
		return "that nothing followed"
	}
	text := "of the first " + config.FormatBytes(cache.ClassStart(1)) + " of sessions"
	if log.Class > 0 {
		text = "of sessions beyond " + config.FormatBytes(cache.ClassStart(log.Class))
	}
	if log.Factor != 1 {
		text += fmt.Sprintf(" (rule x%v)", log.Factor)
	}
	return text
}
