package rawsock

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	// slots is how many packets are remembered, a power of two: more than come
	// while one socket is read after another.
	slots = 4096
	// apart is how long after each other two sockets can show one packet.
	apart = time.Second
)

// Twins recognises packets that another socket has shown before. The same
// packet from the same socket again is no twin but was sent twice.
type twins struct {
	mu   sync.Mutex
	seed maphash.Seed
	slot [slots]struct {
		hash    uint64
		at      int64  // packet time in nanoseconds
		sockets uint64 // that have shown it, by number modulo 64
	}
}

func newTwins() *twins { return &twins{seed: maphash.MakeSeed()} }

// seen notes that a socket shows a packet and reports whether another has shown
// it already.
func (t *twins) seen(h header, socket uint, at int64) bool {
	hash := maphash.Comparable(t.seed, h)
	bit := uint64(1) << (socket % 64)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.slot[hash%slots]
	if s.hash == hash && s.sockets&bit == 0 && time.Duration(at-s.at) < apart {
		s.sockets |= bit
		return true
	}
	s.hash, s.at, s.sockets = hash, at, bit
	return false
}
