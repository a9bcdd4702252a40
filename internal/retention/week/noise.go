package week

import (
	"crypto/subtle"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// noise makes bytes that do not compress, at the speed of memory: two pieces of
// one random buffer, XORed. The places change with each packet, so that no
// packet holds what another one holds.
type noise struct {
	pool   []byte
	random *rand.Rand
}

const noisePool = 1 << 19

func (n *noise) init(seed uint64) {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	n.pool = make([]byte, noisePool)
	_, _ = rand.NewChaCha8(key).Read(n.pool)  // it never fails
	n.random = rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same noise for the same seed
}

// append appends so many bytes, at most 4096.
func (n *noise) append(b []byte, count int) []byte {
	at := len(b)
	b = slices.Grow(b, count)[:at+count]
	r := n.random.Uint64()
	one, other := int(r%(noisePool-4096)), int(r>>32%(noisePool-4096))
	subtle.XORBytes(b[at:], n.pool[one:one+count], n.pool[other:other+count])
	return b
}

// pareto draws from a distribution with a heavy tail: at least least, above x
// with the probability (least/x)^alpha, cut off at most.
func (s *stream) pareto(least, alpha, most float64) int {
	return int(min(least*math.Pow(1-s.random.Float64(), -1/alpha), most))
}

// around draws a duration that is exponentially distributed.
func (s *stream) around(mean time.Duration) time.Duration {
	return time.Duration(s.random.ExpFloat64() * float64(mean))
}

// between draws a duration evenly.
func (s *stream) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.random.Int64N(int64(most-least)+1))
}

// chance is true with that probability.
func (s *stream) chance(p float64) bool { return s.random.Float64() < p }
