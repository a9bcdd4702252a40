package dump

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// Dumps with a limit, each since where the one before says that it goes on, have every
// packet once, also where several are of one instant.
func TestLimitGoesOn(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	random := rand.New(rand.NewPCG(1, 2))
	now := 0
	for range 3000 {
		if random.IntN(3) > 0 { // a third are of the instant of the one before
			now++
		}
		put(c, id, second(now), ethernet+strings.Repeat("x", random.IntN(900)))
	}
	for _, ng := range []bool{false, true} {
		whole, result := get(t, d, Request{PCAPNG: ng})
		for _, limit := range []int64{20_000, 65_000, 70_000, 140_000, 500_000, result.Bytes} {
			var got []string
			req := Request{PCAPNG: ng, Limit: limit}
			for parts := 0; ; parts++ {
				part, result := get(t, d, req)
				for _, p := range part.packets {
					got = append(got, fmt.Sprint(p))
				}
				if result.Bytes > limit {
					t.Errorf("a limit of %d: %d bytes", limit, result.Bytes)
				}
				if !result.LimitReached {
					break
				}
				if result.Next <= result.Last || parts > 3000 {
					t.Fatalf("a limit of %d: %+v", limit, result)
				}
				req.Query = QueryBetween(time.Unix(0, result.Next), time.Time{})
			}
			var want []string
			for _, p := range whole.packets {
				want = append(want, fmt.Sprint(p))
			}
			if !slices.Equal(got, want) {
				t.Errorf("pcapng %v, a limit of %d: %d packets in parts, want %d", ng, limit, len(got), len(want))
			}
		}
	}
}

// Where packets of one instant take more than the limit or a buffer, a dump has what
// fits, and says that some come again.
func TestLimitInOneInstant(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	put(c, id, second(1), ethernet)
	for range 200 {
		put(c, id, second(2), ethernet+strings.Repeat("x", 1000))
	}
	if got, result := get(t, d, Request{Limit: 150_000}); !result.LimitReached || result.Next != second(2) || result.Last != second(2) || len(got.packets) < 100 {
		t.Errorf("%d packets, %+v", len(got.packets), result)
	}
	if got, result := get(t, d, Request{Limit: 30_000}); !result.LimitReached || result.Next != second(2) || result.Last != second(1) || len(got.packets) != 1 {
		t.Errorf("%d packets, %+v", len(got.packets), result)
	}
	since := QueryBetween(time.Unix(0, second(2)), time.Time{})
	if got, result := get(t, d, Request{Limit: 30_000, Query: since}); !result.LimitReached || result.Next != second(2) || len(got.packets) < 20 {
		t.Errorf("%d packets, %+v", len(got.packets), result)
	}
}
