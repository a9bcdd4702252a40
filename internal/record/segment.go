package record

import "github.com/packetcache/packetcache/internal/packet"

// Bounds of a segment, of which none is exceeded by what a cache makes.
const (
	// MaxRecords is how many records it has at most.
	MaxRecords = 2048
	// MaxSize is how many bytes its records take at most: one of them may be as
	// long as a packet can be.
	MaxSize = MaxHeader + packet.MaxLen
	// MaxPacked is the same of one that is compressed.
	MaxPacked = 128 << 10
	// TallySize is what a tally takes.
	TallySize = 8
)
