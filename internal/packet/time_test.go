package packet_test

import (
	"math"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestNanos(t *testing.T) {
	for _, test := range []struct {
		time string
		want int64
	}{
		{"1970-01-01T00:00:01.000000002Z", 1_000_000_002},
		{"1969-12-31T23:59:59Z", -1_000_000_000},
		{"0001-01-01T00:00:00Z", math.MinInt64},
		{"1677-12-31T23:59:59Z", math.MinInt64},
		{"2262-01-01T00:00:00Z", math.MaxInt64},
		{"9999-12-31T23:59:59Z", math.MaxInt64},
	} {
		at, err := time.Parse(time.RFC3339Nano, test.time)
		if err != nil {
			t.Fatal(err)
		}
		if got := packet.Nanos(at); got != test.want {
			t.Errorf("%s: %d, want %d", test.time, got, test.want)
		}
	}
}
