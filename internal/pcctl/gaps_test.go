package pcctl

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

func TestGapNote(t *testing.T) {
	begin := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	const hour = 3600
	entry := func(after time.Duration, kind, name string) control.CoverageEntry {
		return control.CoverageEntry{Time: begin.Add(after), Kind: kind, Interface: name}
	}
	started := entry(0, "start", "")
	up := entry(time.Second, "up", "eth0")
	long := []control.CoverageEntry{started, up, entry(time.Minute, "down", "eth0"), entry(2*time.Minute, "up", "eth0")}
	for range recentCoverage {
		long = append(long, entry(3*time.Minute, "drops", "eth0"))
	}
	const interrupted, partly = "recording was interrupted, see Lately", "not on all interfaces all the time, see Lately"
	tests := []struct {
		name  string
		reach float64 // in seconds, an hour after begin
		log   []control.CoverageEntry
		want  string
	}{
		{"no log", hour, nil, ""},
		{"all the time", hour, []control.CoverageEntry{started, up, entry(2*time.Second, "up", "eth1")}, ""},
		{"asked for and not there", hour, []control.CoverageEntry{started, up, entry(time.Minute, "down", "late0")}, ""},
		{"all down", hour, []control.CoverageEntry{started, up, entry(time.Minute, "down", "eth0"), entry(2*time.Minute, "up", "eth0")}, interrupted},
		{"still down", hour, []control.CoverageEntry{started, up, entry(time.Minute, "down", "eth0")}, interrupted},
		{"never up", hour, []control.CoverageEntry{started, entry(time.Second, "down", "late0")}, "nothing is recorded now"},
		{"late start", hour, []control.CoverageEntry{started, entry(time.Minute, "up", "late0")}, interrupted},
		{"one came later", hour, []control.CoverageEntry{started, up, entry(time.Minute, "up", "eth1")}, partly},
		{"one of two went", hour, []control.CoverageEntry{started, up, entry(2*time.Second, "up", "eth1"), entry(time.Minute, "down", "eth1")}, partly},
		{"before what is promised", hour / 2, []control.CoverageEntry{started, up, entry(time.Minute, "down", "eth0"), entry(2*time.Minute, "up", "eth0")}, ""},
		{"into what is promised", hour / 2, []control.CoverageEntry{started, up, entry(time.Minute, "down", "eth0"), entry(40*time.Minute, "up", "eth0")}, interrupted},
		{"not among those shown", hour, long, "recording was interrupted, see coverage in --json"},
		{"a restart", hour, []control.CoverageEntry{started, up, entry(20*time.Minute, "stop", ""), entry(21*time.Minute, "start", ""),
			entry(21*time.Minute+time.Second, "up", "eth0")}, interrupted},
		{"a crash", hour, []control.CoverageEntry{started, up, entry(20*time.Minute, "gap", ""), entry(21*time.Minute, "start", ""),
			entry(21*time.Minute+time.Second, "up", "eth0")}, interrupted},
		{"a restart before what is promised", hour / 2, []control.CoverageEntry{started, up, entry(20*time.Minute, "stop", ""),
			entry(21*time.Minute, "start", ""), entry(21*time.Minute+time.Second, "up", "eth0")}, ""},
		{"a restart and nothing since", hour / 2, []control.CoverageEntry{started, up, entry(20*time.Minute, "stop", ""), entry(21*time.Minute, "start", "")},
			"nothing is recorded now"},
		// br0 is recorded, and when that began is no longer in the log.
		{"pushed out", hour, []control.CoverageEntry{started, entry(time.Minute, "up", "veth1"), entry(2*time.Minute, "down", "veth1")}, partly},
	}
	for _, test := range tests {
		st := control.Status{
			Time: begin.Add(time.Hour), Coverage: test.log, Horizons: []control.Horizon{{Seconds: test.reach, Complete: true}},
		}
		if test.name == "pushed out" {
			st.Interfaces = []control.Interface{{Name: "br0", State: control.InterfaceCapturing}}
		}
		if got := gapNote(st); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		st.Replay = true
		if got := gapNote(st); got != "" {
			t.Errorf("%s, of files: %q", test.name, got)
		}
	}
}
