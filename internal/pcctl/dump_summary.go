package pcctl

import (
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// A summary is what is said after a dump.
type summary struct {
	control.DumpResult
	request control.DumpRequest
	// target is where it went, replaced the file that was there before, if any.
	target   string
	replaced fs.FileInfo
	// own is the connection that was left out, if any.
	own connection
	// ended says that the user has ended a dump that followed.
	ended bool
	// dropped packets were lost at capture since the service started.
	dropped uint64
	now     time.Time
}

// A dumpReport is what is said after a dump, as JSON.
type dumpReport struct {
	// File is absent where the dump went to standard output.
	File string `json:"file,omitempty"`
	control.DumpResult
	// DroppedPackets were lost at capture since the service started.
	DroppedPackets uint64 `json:"dropped_packets"`
}

func (s *summary) json() dumpReport {
	r := dumpReport{DumpResult: s.DumpResult, DroppedPackets: s.dropped}
	if s.target != standardOutput {
		r.File = s.target
	}
	return r
}

func (s *summary) lines() []string {
	toFile := s.target != standardOutput
	line, facts := captureFacts(s.target, &s.DumpResult)
	lines := []string{line}
	facts.add("evicted", evictedText(s.EvictedPackets))
	if s.own.known() {
		facts.add("left out", "the ssh connection from "+s.own.client.String()+" that this runs over")
	}
	if s.dropped > 0 {
		facts.add("dropped", counted(s.dropped, "packet")+" at capture since the service started, so some may be missing")
	}
	if s.replaced != nil {
		facts.add("replaced", replacedText(s.target, s.replaced))
	}
	lines = append(lines, indented(facts.lines())...)
	if s.LimitReached {
		lines = append(lines, s.limitLine())
	}
	if s.Restoring {
		lines = append(lines, "What an earlier run of the service had left was still being read back: there is more now.")
	}
	req := &s.request
	if req.Follow && !s.ended && !s.LimitReached && (req.Until.IsZero() || s.now.Before(req.Until)) {
		lines = append(lines, "The service has stopped. What came until then is complete.")
	}
	switch {
	case s.Packets == 0 && (s.LimitReached || s.Restoring):
	case s.Packets == 0 && req.Since.After(s.now):
		lines = append(lines, fmt.Sprintf("No packet matched: --since lies ahead, it is %s now.", stamp(s.now)))
	case s.Packets == 0 && (req.Filter != "" || !req.Since.IsZero() || !req.Until.IsZero() || req.Last != 0):
		lines = append(lines, "No packet matched. \"pcctl status\" says how far back the cache reaches.")
	case s.Packets == 0:
		lines = append(lines, "The cache is empty. \"pcctl status\" says what is recorded.")
	case toFile && isRegular(s.target):
		lines = append(lines, "Open it with: wireshark "+quoted(s.target))
	}
	return lines
}

// limitLine says how to go on behind a limit.
func (s *summary) limitLine() string {
	if s.Next.IsZero() { // a service of an older version
		return "There was more: --limit was reached. Move --since forward for the rest."
	}
	if s.Packets == 0 {
		return "Not even one packet fits into --limit."
	}
	instead := ""
	if s.request.Last != 0 {
		instead = " instead of --last"
	}
	line := fmt.Sprintf("There was more: --limit was reached. It goes on with --since %s%s", s.Next.Format(time.RFC3339Nano), instead)
	if !s.Next.After(s.Last) {
		return line + "; packets of that instant come again."
	}
	return line + "."
}

// captureFacts are what is said of any capture file that was written: a line, and
// a table to go on with.
func captureFacts(target string, r *control.DumpResult) (line string, facts *table) {
	if target == standardOutput {
		target = "standard output"
	}
	size := counted(uint64(r.Bytes), "byte")
	if r.Bytes >= 1024 {
		size = bytesText(r.Bytes) + " (" + size + ")"
	}
	facts = &table{header: []string{"", ""}}
	if r.Packets > 0 {
		facts.add("first", stamp(r.First))
		facts.add("last", fmt.Sprintf("%s (%s later)", stamp(r.Last), span(r.Last.Sub(r.First))))
	}
	facts.add("sha256", r.SHA256)
	return clean(fmt.Sprintf("%s: %s, %s", target, counted(r.Packets, "packet"), size)), facts
}

// replacedText says which file gave way.
func replacedText(target string, was fs.FileInfo) string {
	return fmt.Sprintf("the %s of %s, %s", target, stamp(was.ModTime()), bytesText(was.Size()))
}

func evictedText(n uint64) string {
	if n == 0 {
		return "none while this was read"
	}
	return counted(n, "packet") + ", before they could be read"
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
