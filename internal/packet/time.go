package packet

import (
	"math"
	"time"
)

// Nanos is a time as packets have it, in nanoseconds since the Unix epoch, or the
// nearest that can be told: those reach from 1677 to 2262.
func Nanos(t time.Time) int64 {
	switch {
	case t.Year() < 1678:
		return math.MinInt64
	case t.Year() > 2261:
		return math.MaxInt64
	default:
		return t.UnixNano()
	}
}
