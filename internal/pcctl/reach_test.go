package pcctl

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
)

// How far back a file reaches is what its logs were known to have lost, and what
// of them did not get into it.
func TestReaches(t *testing.T) {
	hours := func(n int) *time.Duration { d := time.Duration(n) * time.Hour; return &d }
	log := func(class int, lost *time.Duration) record.Log {
		return record.Log{Class: class, Factor: 1, Segments: 3, Lost: lost}
	}
	for _, test := range []struct {
		name       string
		logs       []record.Log
		found      map[int]seal.Content // of other logs, all segments
		first, all float64              // hours
		complete   bool
	}{
		{"nothing was ever lost", []record.Log{log(0, nil), log(5, nil)}, nil, 24, 24, true},
		{"bulk was", []record.Log{log(0, nil), log(20, hours(2))}, nil, 24, 2, false},
		{"heads were", []record.Log{log(0, hours(9)), log(20, hours(20))}, nil, 9, 9, false},
		{"rules are another matter", []record.Log{log(0, nil), {Class: 0, Factor: 4, Segments: 3, Lost: hours(1)}}, nil, 24, 24, true},
		{"the deadline cut a log", []record.Log{log(0, nil), log(5, nil)},
			map[int]seal.Content{1: {Count: seal.Count{Segments: 2}, Reach: 3 * time.Hour}}, 24, 3, false},
		{"and left one out", []record.Log{log(0, nil), log(5, nil)}, map[int]seal.Content{1: {}}, 24, 0, false},
		{"unanswered ones were lost", []record.Log{log(0, nil), {Unanswered: true, Factor: 1, Segments: 3, Lost: hours(5)}}, nil, 24, 5, false},
		{"answers to them came late", []record.Log{
			{Class: 0, Factor: 1, Segments: 3, Late: &record.Span{Oldest: 8 * time.Hour, Newest: time.Hour}},
			{Unanswered: true, Factor: 1, Segments: 3, Lost: hours(5)},
		}, nil, 5, 5, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &seal.Report{Head: &seal.Head{State: record.State{Age: 24 * time.Hour, Logs: test.logs}}}
			for i := range test.logs {
				found, given := test.found[i]
				if !given {
					found = seal.Content{Count: seal.Count{Segments: test.logs[i].Segments}}
				}
				r.Logs = append(r.Logs, found)
			}
			list := reaches(r)
			first, all := list[0], list[len(list)-1]
			if first.UpToBytes != 1024 || all.UpToBytes != 0 {
				t.Fatalf("%+v", list)
			}
			if first.Seconds != test.first*3600 || all.Seconds != test.all*3600 || all.Complete != test.complete {
				t.Errorf("%v and %v s, all of it: %t", first.Seconds, all.Seconds, all.Complete)
			}
		})
	}
}
