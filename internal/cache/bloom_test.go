package cache

import (
	"hash/maphash"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func randomAddress(random *rand.Rand) netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	if random.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

// TestBloom: what was added is there, folded or not, and of what was not as
// little as is told, in as little memory as theory needs for it.
func TestBloom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	seed := maphash.MakeSeed()
	const most = 1. / (bloomDensity * bloomDensity * bloomDensity * bloomDensity)
	for _, n := range []int{0, 1, 10, 30, 100, 300, 1000, 4000} {
		wrong, tried, size := 0, 0, 0
		for range 20 {
			b := bloom(make([]byte, maxBloom))
			var added []uint64
			for range n {
				hash := hashAddress(seed, randomAddress(random))
				b.add(hash)
				added = append(added, hash)
			}
			b = b.fold()
			size += len(b)
			for _, hash := range added {
				if !b.has(hash) {
					t.Fatalf("one of %d that were added is not there", n)
				}
			}
			for range 5000 {
				tried++
				if b.has(hashAddress(seed, randomAddress(random))) {
					wrong++
				}
			}
		}
		size /= 20
		got := float64(wrong) / float64(tried)
		bits := -bloomProbes * float64(n) / math.Log(1-1./bloomDensity)
		t.Logf("of %d addresses, in %d bytes: %.4f", n, size, got)
		if n <= 1000 && got > 1.2*most+0.0005 {
			t.Errorf("with %d addresses it seems to have %.4f of all others, at most %.4f are told", n, got, most)
		}
		if size > max(minBloom, int(2*bits)/8+minBloom) || size > maxBloom {
			t.Errorf("%d addresses take %d bytes, %d bits are enough", n, size, int(bits))
		}
	}
}

// TestHashAddress: an outsider who does not know the seed cannot choose
// addresses that look the same.
func TestHashAddress(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	seed, other := maphash.MakeSeed(), maphash.MakeSeed()
	hash := hashAddress(seed, a)
	if hash == hashAddress(seed, b) || hash != hashAddress(seed, netip.MustParseAddr(a.String())) {
		t.Error("two addresses are one, or one is two")
	}
	if hash == hashAddress(other, a) {
		t.Error("the seed does not matter")
	}
	if n := testing.AllocsPerRun(100, func() { hashAddress(seed, a) }); n != 0 {
		t.Errorf("hashing allocates %v times", n)
	}
}
