package persist

import (
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/vault"
)

// beginAt starts a Keeper while the clock is that far ahead of the right time.
func beginAt(t *testing.T, disk *faults.Disk, ahead time.Duration) *run {
	t.Helper()
	r := newRun(t, cache.MinBytes, manual)
	r.ahead = ahead
	r.at = func() (*vault.Vault, error) { return vault.In("/data", datadir.On(disk)) }
	r.start()
	return r
}

// A clock that was set while the service was away costs nothing: all packets come
// back, none is thrown out for its age, what is promised of them is neither more than
// the clock says nor nothing, and where it went back, nobody claims to know for how
// long nothing was recorded.
func TestClockSetBetweenRuns(t *testing.T) {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for _, test := range []struct {
		name          string
		saved, now    time.Duration // that the clock is ahead of the right time
		away, setBack time.Duration
		says          string
	}{
		{"right", 0, 0, 0, 0, "there is nothing: "},
		{"corrected a little", time.Second, 0, 0, 0, "there is nothing: "},
		{"an hour ahead", 0, time.Hour, time.Hour, 0, "there is nothing: 1h0m"},
		{"a year ahead", 0, year, year, 0, "there is nothing: 8760h0m"},
		{"from a year back", -year, 0, year, 0, "there is nothing: 8760h0m"},
		{"from long before", -100 * year, 0, longestAway, 0, "there is nothing: 8784h0m"},
		{"from a day ahead", day, 0, 0, day, "the clock has been set back meanwhile, by "},
		{"from a day ahead to a year back", day, -year, 0, day + year, "the clock has been set back meanwhile, by "},
		{"from far ahead", 200 * year, 0, 0, 200 * year, "the clock has been set back meanwhile, by "},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := faults.New()
			r := beginAt(t, disk, test.saved)
			r.ready()
			fill(r.cache, 0, few)
			r.end()

			r = beginAt(t, disk, test.now)
			fill(r.cache, few, few)
			restored := r.ready().Restored
			holds(t, "after the restore", r.cache, numbered(0, 2*few))
			near := func(d, want time.Duration) bool { return d >= want-5*time.Second && d <= want+time.Minute }
			if !near(restored.Away, test.away) || restored.SetBack != 0 != (test.setBack != 0) || !near(restored.SetBack, test.setBack) {
				t.Errorf("restored: %+v", restored)
			}
			stats := r.cache.Stats()
			if stats.Evicted.Packets != 0 {
				t.Errorf("%d packets were evicted", stats.Evicted.Packets)
			}
			for class := range cache.NumClasses {
				if age, complete := stats.Promise(class); !complete || !near(age, test.away) {
					t.Errorf("of class %d is promised %v, complete: %v", class, age, complete)
				}
			}
			if text := r.log.text("CacheRestored"); !strings.Contains(text, test.says) {
				t.Errorf("it says %q", text)
			}

			// Once more, and the clock is right.
			r.end()
			r = beginAt(t, disk, 0)
			r.ready()
			holds(t, "once more", r.cache, numbered(0, 2*few))
			fill(r.cache, 2*few, few)
			r.kill()
		})
	}
}

// What is said of it.
func TestGapInWords(t *testing.T) {
	for want, r := range map[string]Restored{
		"1h0m2s": {Away: time.Hour + 1600*time.Millisecond},
		"nobody knows how long, since the clock has been set back meanwhile, by 24h0m0s or more": {SetBack: 24 * time.Hour},
	} {
		if got := r.gap(); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
