package record

import (
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// Bounds of a segment, of which none is exceeded by what a cache makes.
const (
	// MaxRecords is how many records it has at most.
	MaxRecords = 2048
	// MaxSize is how many bytes its records take at most: one of them may be as
	// long as a packet can be, and others stand behind it in its last page of 4 KiB.
	MaxSize = MaxHeader + packet.MaxLen + 4<<10
	// MaxPacked is the same of one that is compressed.
	MaxPacked = 128 << 10
	// MaxShares is how many interfaces it tells apart without being read.
	MaxShares = 3
	// TallySize is what a tally takes.
	TallySize = 8
)

// A Codec says how the bytes of a segment are to be read. The numbers stand in
// files.
type Codec uint8

// The codecs.
const (
	// Raw is records, one after the other.
	Raw Codec = iota
	// Zstd is tallies, if there are any, and one frame (RFC 8878) that holds
	// records, with its checksum.
	Zstd
)

// A Segment is a run of records outside of the cache. The first one is readable
// without one before it; none has a stamp.
type Segment struct {
	// Log is its log: an index in State.Logs.
	Log int
	// Table says whose interfaces its records, tallies and shares number: an
	// index in State.Tables.
	Table int
	Codec Codec
	// Disordered says that some packet is older than the one before it.
	Disordered bool
	// Records is how many it has, Size the bytes that they take, uncompressed.
	Records, Size int
	// Tallies stand at the front of what is compressed, TallySize bytes each,
	// little-endian: the number of an interface, of its packets (2 bytes each), and
	// of their captured bytes (4 bytes).
	Tallies int
	// Captured is how many bytes of its packets were captured.
	Captured uint64
	// Newest is the age of its newest packet, as of the State's time. In the order
	// in which the segments of a log are saved it never decreases.
	Newest time.Duration
	// Behind is how many bytes were appended to the cache after its newest packet:
	// the newest of all are not to be evicted.
	Behind uint64
	// MinTime and MaxTime are its packets' least and greatest timestamps, in
	// nanoseconds since the Unix epoch.
	MinTime, MaxTime int64
	// Shares are its packets by interface, MaxShares at most. Many says that there
	// would be more: then there are none, and the tallies tell, or the records.
	Shares []Share
	Many   bool
	// Data is what Codec says: of Raw, Size bytes.
	Data []byte
}

// A Share is the packets of one interface in a segment, and their captured
// bytes.
type Share struct {
	Interface packet.InterfaceID
	Packets   uint16
	Bytes     uint32
}
