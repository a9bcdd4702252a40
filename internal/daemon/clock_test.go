package daemon

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

func TestClockEntries(t *testing.T) {
	const day = 24 * time.Hour
	before := clocks{wall: 20_000 * day, boot: 3 * time.Hour, awake: 2 * time.Hour}
	for _, test := range []struct {
		name              string
		wall, boot, awake time.Duration // that passed
		want              []string
	}{
		{"nothing", 10 * time.Second, 10 * time.Second, 10 * time.Second, nil},
		{"a busy machine", time.Minute, time.Minute, time.Minute, nil},
		{"a little drift", 11 * time.Second, 10 * time.Second, 9 * time.Second, nil},
		{"sleep", 8*time.Hour + 10*time.Second, 8*time.Hour + 10*time.Second, 10 * time.Second, []string{"sleep: the machine slept for 8h0m0s"}},
		{"a day forward", day + 10*time.Second, 10 * time.Second, 10 * time.Second, []string{"clock: the clock was set forward by 24h0m0s"}},
		{"a year back", 10*time.Second - 365*day, 10 * time.Second, 10 * time.Second, []string{"clock: the clock was set back by 8760h0m0s"}},
		{"both", 2 * time.Hour, time.Hour + 10*time.Second, 10 * time.Second, []string{
			"sleep: the machine slept for 1h0m0s", "clock: the clock was set forward by 59m50s",
		}},
	} {
		now := clocks{before.wall + test.wall, before.boot + test.boot, before.awake + test.awake}
		var got []string
		for _, e := range clockEntries(compareClocks(before, now)) {
			got = append(got, e.Kind+": "+e.Text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// Two readings of the real clocks agree.
func TestReadClocks(t *testing.T) {
	start := time.Now()
	if e := clockEntries(compareClocks(readClocks(start), readClocks(start))); len(e) > 0 {
		t.Errorf("between two readings %+v", e)
	}
}

// The coverage log is bounded and keeps the start of the service.
func TestCoverageIsBounded(t *testing.T) {
	var c coverage
	c.add(control.CoverageEntry{Kind: "start"})
	for i := range 2 * maxCoverage {
		c.add(control.CoverageEntry{Kind: "up", Text: fmt.Sprint(i)})
	}
	all := c.all()
	if len(all) != maxCoverage || all[0].Kind != "start" {
		t.Fatalf("%d entries, the first %+v", len(all), all[0])
	}
	for i, e := range all[1:] {
		if want := fmt.Sprint(maxCoverage + 1 + i); e.Text != want {
			t.Fatalf("entry %d is %q, want %q", i+1, e.Text, want)
		}
	}
	all[0].Kind = "changed"
	if c.all()[0].Kind != "start" {
		t.Error("what was handed out is not a copy")
	}
}
