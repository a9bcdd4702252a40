package pcapio

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestResolution(t *testing.T) {
	const latest = math.MaxInt64
	for _, c := range []struct {
		tsresol byte
		offset  int64
		ts      uint64
		want    int64
	}{
		{6, 0, 1_700_000_000_123_456, 1_700_000_000_123_456_000},
		{9, 0, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789},
		{0, 0, 1_700_000_000, 1_700_000_000e9},
		{3, 0, 1_700_000_000_123, 1_700_000_000_123e6},
		{12, 0, 1_234_567, 1_234},
		{28, 0, math.MaxUint64, 1},
		{29, 0, math.MaxUint64, 0},
		{127, 0, math.MaxUint64, 0},
		{0x80, 0, 7, 7e9},
		{0x80 | 1, 0, 7, 3_500_000_000},
		{0x80 | 32, 0, 5<<32 | 1<<31, 5_500_000_000},
		{0x80 | 63, 0, 1<<63 | 1<<62, 1_500_000_000},
		{0x80 | 64, 0, 1 << 63, 500_000_000},
		{0x80 | 127, 0, math.MaxUint64, 0},
		{6, 3600, 1_000_000, 3601e9},
		{6, -3600, 1_000_000, -3599e9},
		{9, 0, math.MaxUint64, latest},
		{0, 0, math.MaxUint64, latest},
		{0x80, 0, math.MaxUint64, latest},
		{9, 1, latest, latest},
		{9, math.MaxInt64, 1, latest},
		{9, math.MinInt64, latest, 0},
		{9, math.MinInt64, 0, -latest},
	} {
		r := newResolution(c.tsresol, c.offset)
		if got := r.nanos(c.ts); got != c.want {
			t.Errorf("if_tsresol %#x, if_tsoffset %d: %d is %d ns, want %d", c.tsresol, c.offset, c.ts, got, c.want)
		}
	}
}

// TestResolutionAgainstBig computes the same with numbers of any size.
func TestResolutionAgainstBig(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		tsresol, ts := byte(rnd.Uint32()), rnd.Uint64()>>rnd.IntN(64)
		base := big.NewInt(10)
		if tsresol&0x80 != 0 {
			base = big.NewInt(2)
		}
		units := new(big.Int).Exp(base, big.NewInt(int64(tsresol&0x7f)), nil)
		want := new(big.Int).Mul(new(big.Int).SetUint64(ts), big.NewInt(second))
		want.Div(want, units)
		r := newResolution(tsresol, 0)
		got := r.nanos(ts)
		if !want.IsInt64() {
			want.SetInt64(math.MaxInt64)
		}
		// Near the end the power-of-2 path stops up to a second early.
		if got != want.Int64() && (got != math.MaxInt64 || want.Int64() < math.MaxInt64-second) {
			t.Fatalf("if_tsresol %#x: %d is %d ns, want %v", tsresol, ts, got, want)
		}
	}
}
