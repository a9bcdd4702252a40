package session

import (
	"errors"
	"math/bits"
	"time"
	"unsafe"

	"github.com/packetcache/packetcache/internal/mem"
)

// Session rules, as durations of the cache's clock.
const (
	// IdleTCP ends a TCP session that shows no packet for so long.
	IdleTCP = 10 * time.Minute
	// IdleOther ends any other session.
	IdleOther = 2 * time.Minute
	// Restart begins sessions anew that have no beginning of their own (ping,
	// ARP, multicast), so that they keep something of late.
	Restart = 5 * time.Minute
	// MidstreamOffset is where a TCP session seen without SYN starts while
	// the table overflows: what returns after having been given up is likely
	// bulk and must not look like a head.
	MidstreamOffset = 4096
	// pressure is for how long after a live session was given up the table
	// counts as overflowing.
	pressure = time.Minute
)

// Tick is the resolution of the table's times; 32 bits of it last 8 years.
const Tick = time.Second / 16

const (
	ticksTCP      = uint32(IdleTCP / Tick)
	ticksOther    = uint32(IdleOther / Tick)
	ticksRestart  = uint32(Restart / Tick)
	ticksPressure = uint32(pressure / Tick)
)

// ways is how many sessions share a bucket: their tags fill one cache line.
const ways = 32

// A hot entry is what every packet of a session touches: half a cache line.
type hot struct {
	fingerprint uint32 // of the hash; with the tag and the bucket nearly all of it
	last        uint32 // tick of the newest packet
	// packets seen from side A and from side B.
	packets [2]uint32
	// bytes seen, likewise, in the low 48 bits; flags in the high 16 of
	// bytes[0]. While pending, the silent side holds a position instead; with
	// flagBoth both do, and the cold entry has the bytes.
	bytes [2]uint64
}

const (
	countBits = 48
	countMask = 1<<countBits - 1
)

const (
	flagTCP uint64 = 1 << (countBits + iota)
	flagClosed
	flagMidstream
	flagRestarts
	flagPending
	flagFromB // the first packet came from side B
	flagBoth  // pending, and both sides have sent a packet
)

// Above the flags stands the number of the rule that the session is under.
const (
	ruleBits  = 5
	ruleShift = 64 - ruleBits
	ruleMask  = (1<<ruleBits - 1) << ruleShift
	// MaxRule is the highest number of a rule.
	MaxRule = 16
)

// A cold entry is what only the packets at a session's beginning and end touch.
type cold struct {
	key   Key
	first uint32
	bytes [2]uint16 // with flagBoth
}

const (
	bucketSize  = ways * int(unsafe.Sizeof(hot{})+unsafe.Sizeof(cold{})+unsafe.Sizeof(uint16(0)))
	summarySize = int(unsafe.Sizeof(Summary{}))
)

// A Table counts the sessions that are live. It does not grow by itself: when a
// bucket is full, a session that ended, one that nobody answered, one that was
// closed, or else the one idle longest is given up. It is not safe for concurrent use.
type Table struct {
	tags      []uint16 // ways a bucket, 0 for a free slot
	hot       []hot
	cold      []cold
	buckets   uint64
	summaries summaryRing

	pending    Pending // of the session that Visit saw last
	live       int     // slots in use, ended sessions included
	seen       uint64
	givenUp    uint64
	gaveUp     bool
	gaveUpLast uint32
}

// TableStats are a Table's figures.
type TableStats struct {
	Capacity int    // slots
	Used     int    // slots that hold a session, live or ended
	Seen     uint64 // sessions begun
	GivenUp  uint64 // sessions forgotten while still live, for lack of room
	// Summaries held of sessions that ended or were given up.
	Summaries int
}

// NewTable lays a table out in memory, and the summaries of ended sessions in
// ended. Both must be zeroed and aligned to 64 bytes.
func NewTable(memory, ended []byte) (*Table, error) {
	t := &Table{buckets: uint64(len(memory) / bucketSize)}
	summaries := len(ended) / summarySize
	if t.buckets == 0 || summaries == 0 {
		return nil, errTooLittle
	}
	t.tags, t.hot, t.cold = layOut(memory, t.buckets)
	t.summaries.slots, _ = mem.Carve[Summary](ended, summaries)
	return t, nil
}

var errTooLittle = errors.New("session table: too little memory")

func layOut(memory []byte, buckets uint64) (tags []uint16, hots []hot, colds []cold) {
	n := int(buckets) * ways
	tags, memory = mem.Carve[uint16](memory, n)
	hots, memory = mem.Carve[hot](memory, n)
	colds, _ = mem.Carve[cold](memory, n)
	return tags, hots, colds
}

// Stats returns the table's figures.
func (t *Table) Stats() TableStats {
	return TableStats{
		Capacity: len(t.tags), Used: t.live, Seen: t.seen, GivenUp: t.givenUp,
		Summaries: t.summaries.len(),
	}
}

func (t *Table) bucket(hash uint64) int {
	b, _ := bits.Mul64(hash, t.buckets)
	return int(b) * ways
}

func tagOf(hash uint64) uint16         { return uint16(hash) | 1 } // never 0
func fingerprintOf(hash uint64) uint32 { return uint32(hash >> 16) }

// Tags is the address of what Find will read.
func (t *Table) Tags(hash uint64) uintptr {
	return uintptr(unsafe.Pointer(&t.tags[t.bucket(hash)]))
}

// Counters is the address of what Visit will read of a slot.
func (t *Table) Counters(slot int) uintptr { return uintptr(unsafe.Pointer(&t.hot[slot])) }

// Find returns the slot of the session with that hash, or one that looks so,
// or -1. Visit tells for sure: it reads what Find need not wait for.
func (t *Table) Find(hash uint64) int {
	base := t.bucket(hash)
	words := (*[ways / lanes]uint64)(unsafe.Pointer(&t.tags[base : base+ways : base+ways][0]))
	tag := uint64(tagOf(hash)) * everyLane
	// Most sessions stand where freeSlot looks first, so that the first try
	// need not be guessed.
	word := home(hash)
	for range ways / lanes {
		// Four tags at once: a lane that is zero now held the tag. The lowest
		// lane found is right; those above may not be.
		x := words[word%(ways/lanes)] ^ tag
		if m := (x - everyLane) &^ x & (everyLane << 15); m != 0 {
			return base + int(word%(ways/lanes))*lanes + bits.TrailingZeros64(m)/16
		}
		word++
	}
	return -1
}

// home is the word of its bucket in which a session is looked for first.
func home(hash uint64) uint { return uint(hash>>16) % (ways / lanes) }

// lanes is how many tags a word of 64 bits holds.
const (
	lanes     = 4
	everyLane = 0x0001000100010001
)

// search is Find, sure.
func (t *Table) search(hash uint64) int {
	base := t.bucket(hash)
	for slot := base; slot < base+ways; slot++ {
		if t.is(slot, hash) {
			return slot
		}
	}
	return -1
}

func (t *Table) is(slot int, hash uint64) bool {
	return t.hot[slot].fingerprint == fingerprintOf(hash) && t.tags[slot] == tagOf(hash)
}
