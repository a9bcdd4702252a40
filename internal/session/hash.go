package session

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// A seed keys the hash, so that nobody outside can choose packets that fall
// into the same bucket of the table.
type seed [4]uint64

func newSeed() seed {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	var s seed
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return s
}

// mix folds the 128-bit product of its arguments, the step that wyhash is
// made of.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func (s *seed) hash(k *Key) uint64 {
	if k.a.hi|k.b.hi == 0 {
		return s.hashIPv4(k)
	}
	h := mix(k.a.lo^s[0], k.b.lo^s[1]) ^ mix(k.a.hi^s[2], k.b.hi^s[3])
	return s.spread(h, k.meta)
}

// hashIPv4 is hash for addresses that stand in lo alone.
func (s *seed) hashIPv4(k *Key) uint64 {
	return s.spread(mix(k.a.lo^s[0], k.b.lo^s[1]), k.meta)
}

// spread brings in the ports. One step alone takes ports in a row, as a client
// uses them, to multiples of one number, which with one seed in a hundred fall
// into few buckets.
func (s *seed) spread(h, meta uint64) uint64 {
	return mix(mix(h^s[2], meta^s[3])^s[1], s[0])
}
