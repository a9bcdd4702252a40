package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/seal"
)

var begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func entry(n int, kind string) control.CoverageEntry {
	return control.CoverageEntry{Time: begin.Add(time.Duration(n) * time.Second), Kind: kind, Text: fmt.Sprintf("entry %d", n)}
}

// Of this run the start stays, of earlier ones the newest entries do, and there is
// never more than a bounded number of them.
func TestCoverageOfRuns(t *testing.T) {
	var c coverage
	for run := range 3 {
		first := run * 10_000
		c.entries = nil
		c.add(entry(first, "start"))
		for n := 1; n < 2*maxCoverage; n++ {
			c.add(entry(first+n, "up"))
		}
		all := c.all()
		if want := min(run+1, 2) * maxCoverage; len(all) != want {
			t.Errorf("after run %d there are %d entries, want %d", run, len(all), want)
		}
		for i := 1; i < len(all); i++ {
			if all[i].Time.Before(all[i-1].Time) {
				t.Errorf("after run %d entry %d is from before the one before it", run, i)
			}
		}
		if at := len(all) - maxCoverage; all[at] != entry(first, "start") {
			t.Errorf("after run %d the start of this run is gone: %+v", run, all[at])
		}
		c.restore(all) // as the next run does
	}
}

// What an earlier run looked at comes back, with the gap after a checkpoint.
func TestReturned(t *testing.T) {
	for _, final := range []bool{true, false} {
		d := &Daemon{started: begin.Add(1000 * time.Second)}
		d.coverage.add(entry(1000, "start"))
		head := &seal.Head{Saved: begin.Add(500 * time.Second), Final: final, Coverage: []seal.Coverage{
			seal.Coverage(entry(1, "start")), seal.Coverage(entry(2, "up")),
		}}
		d.returned(head)
		var kinds []string
		for _, e := range d.coverage.all() {
			kinds = append(kinds, e.Kind)
		}
		want := "start up gap start"
		if final {
			want = "start up start"
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("final %t: the log has %q, want %q", final, got, want)
		}
	}
}
