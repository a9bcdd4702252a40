package cache

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
)

// A bloom is a set of addresses in little memory (B. H. Bloom, Space/time
// trade-offs in hash coding with allowable errors, 1970): it never denies one
// that was added, and seems to have some that were not. Its length is a power
// of two.
type bloom []byte

const (
	minBloom    = 64 // bytes
	maxBloom    = 2048
	bloomShift  = 14 // bits of a hash that name a bit of the longest
	bloomProbes = 4
	// bloomDensity is how many bits there are for each one that is set, when it
	// has been folded: of what was not added it seems to have at most 1 in 4^4.
	bloomDensity = 4
)

// hashAddress is what a bloom knows of an address.
func hashAddress(seed maphash.Seed, a netip.Addr) uint64 {
	b := a.As16() // an IPv4 address and the IPv6 one that stands for it are one
	return maphash.Bytes(seed, b[:])
}

func (b bloom) add(hash uint64) {
	for range bloomProbes {
		bit := hash % uint64(len(b)*8)
		b[bit/8] |= 1 << (bit % 8)
		hash >>= bloomShift
	}
}

func (b bloom) has(hash uint64) bool {
	for range bloomProbes {
		bit := hash % uint64(len(b)*8)
		if b[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
		hash >>= bloomShift
	}
	return true
}

// fold makes it as short as its contents allow.
func (b bloom) fold() bloom {
	for len(b) > minBloom {
		half, set := len(b)/2, 0
		for at := 0; at < half; at += 8 {
			set += bits.OnesCount64(binary.LittleEndian.Uint64(b[at:]) | binary.LittleEndian.Uint64(b[half+at:]))
		}
		if set*bloomDensity > half*8 {
			break
		}
		for at := range half {
			b[at] |= b[half+at]
		}
		b = b[:half]
	}
	return b
}
