package packet

import (
	"math"
	"time"
)

// Between are the timestamps from one time to another, those of a zero time as far as
// they reach.
func Between(since, until time.Time) (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !since.IsZero() {
		from = Nanos(since)
	}
	if !until.IsZero() {
		to = Nanos(until)
	}
	return from, to
}

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
