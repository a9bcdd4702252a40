package pcapio

import (
	"math"
	"math/bits"
)

const second = 1_000_000_000 // in nanoseconds

// A resolution turns the timestamps of one pcapng interface into nanoseconds
// (draft-ietf-opsawg-pcapng, if_tsresol and if_tsoffset).
type resolution struct {
	binary bool
	shift  uint   // binary: units of 2^-shift s
	mul    uint64 // decimal: nanoseconds a unit, or 1
	div    uint64 // decimal: units a nanosecond, or 1; 0 if more than 2^64
	offset int64  // nanoseconds to add
}

// newResolution reads the value of if_tsresol, whose high bit chooses between
// negative powers of 2 and of 10, and of if_tsoffset in seconds.
func newResolution(tsresol byte, tsoffset int64) resolution {
	r := resolution{mul: 1, div: 1, offset: clampSeconds(tsoffset)}
	exponent := int(tsresol & 0x7f)
	switch {
	case tsresol&0x80 != 0:
		r.binary, r.shift = true, uint(exponent)
	case exponent <= 9:
		r.mul = pow10(9 - exponent)
	default:
		r.div = pow10(exponent - 9)
	}
	return r
}

// nanos returns ts as nanoseconds since 1970, rounded down. What int64 cannot
// hold becomes the nearest time that it can.
func (r *resolution) nanos(ts uint64) int64 {
	var ns int64
	switch {
	case r.binary:
		ns = binaryNanos(ts, r.shift)
	case r.div > 1:
		ns = int64(ts / r.div) // at most 2^64/10
	case r.div == 1:
		hi, lo := bits.Mul64(ts, r.mul)
		ns = int64(lo)
		if hi != 0 || ns < 0 {
			ns = math.MaxInt64
		}
	}
	if r.offset == 0 {
		return ns
	}
	if sum := ns + r.offset; r.offset < 0 || sum >= ns {
		return sum // ns is not negative, so only the upper end can overflow
	}
	return math.MaxInt64
}

// binaryNanos returns ts units of 2^-shift seconds in nanoseconds.
func binaryNanos(ts uint64, shift uint) int64 {
	if shift >= 64 {
		hi, _ := bits.Mul64(ts, second)
		return int64(hi >> (shift - 64))
	}
	whole := ts >> shift
	if whole >= math.MaxInt64/second {
		return math.MaxInt64
	}
	hi, lo := bits.Mul64(ts-whole<<shift, second)
	return int64(whole)*second + int64(hi<<(64-shift)|lo>>shift)
}

// clampSeconds returns s in nanoseconds, or the nearest that int64 can hold.
func clampSeconds(s int64) int64 {
	switch {
	case s > math.MaxInt64/second:
		return math.MaxInt64
	case s < -math.MaxInt64/second:
		return -math.MaxInt64
	}
	return s * second
}

// pow10 returns 10^n, or 0 if that is more than 2^64.
func pow10(n int) uint64 {
	if n > 19 {
		return 0
	}
	v := uint64(1)
	for range n {
		v *= 10
	}
	return v
}
