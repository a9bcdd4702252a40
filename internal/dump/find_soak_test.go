//go:build soak

package dump

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
)

// TestSoakFind looks for one session, and for the last five minutes, in the
// weeks of an office computer that 4 GiB hold.
func TestSoakFind(t *testing.T) {
	c, now := aWeek(t, 4<<30, 21)
	s := c.Stats()
	segments, compressed := 0, 0
	for _, class := range s.Classes {
		segments, compressed = segments+class.Segments, compressed+class.Compressed
	}
	t.Logf("%.1f GiB of packets in %d GiB, %d segments, %d of them compressed", float64(s.Held().Bytes)/(1<<30), s.Budget>>30, segments, compressed)

	d := New(c, noFacts{})
	took := func(name string, req Request) (best time.Duration, result Result) {
		best = math.MaxInt64
		for range 3 {
			begun := time.Now()
			var err error
			if result, err = d.Dump(t.Context(), req, discard{io.Discard}); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(begun))
		}
		t.Logf("%s: %v, %d packets, %.1f MiB", name, best.Round(time.Millisecond), result.Packets, float64(result.Bytes)/(1<<20))
		return best, result
	}
	filtered := func(text string) Request {
		set, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		return Request{Query: cache.All, Filter: set}
	}
	all, _ := took("everything", Request{Query: cache.All})
	slow, want := took("one host, with all that is there read", filtered("not (not host "+sought+")"))
	host, got := took("one host", filtered("host "+sought))
	if got != want || got.Packets != soughtPackets {
		t.Errorf("found %+v, there are %+v", got, want)
	}
	took("a host that was never there", filtered("host 100.64.7.78"))
	took("one host and one's own address", filtered("host 10.20.30.40 and host "+sought))
	took("the resolver, which is everywhere", filtered("host 10.20.30.2"))
	since := cache.All
	since.Since = now - int64(5*time.Minute)
	last, _ := took("the last 5 minutes", Request{Query: since})
	t.Logf("one host takes %.5f of the time for everything (%.5f of that with everything read), the last 5 minutes %.5f",
		host.Seconds()/all.Seconds(), host.Seconds()/slow.Seconds(), last.Seconds()/all.Seconds())
	if limit := 500 * time.Millisecond; host > limit || last > limit {
		t.Errorf("one host takes %v, the last 5 minutes %v, want at most %v", host, last, limit)
	}
}
