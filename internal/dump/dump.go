// Package dump sends what the cache holds as one capture file: to whoever
// connects to the dump endpoint, and to the clients of the control endpoint.
package dump

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

const (
	// Parallel is how many dumps merge at once; others wait, their header sent.
	Parallel = 8
	// StallLimit is how long a reader may take nothing before it is given up.
	StallLimit = 5 * time.Minute
	// GiveWay is how long one may do so while others wait for their turn.
	GiveWay = 30 * time.Second
	// bufferSize is how much is formatted before it is written; a larger record
	// makes it grow.
	bufferSize = 64 << 10
	// quickWrite is about what waking another thread takes, twice for each
	// buffer.
	quickWrite = 20 * time.Microsecond
	// flushEvery is how long a packet that was found may wait for others: a
	// client should see something grow while a filter finds little.
	flushEvery = 500 * time.Millisecond
	// lookEvery is how many packets pass between two looks at the clock.
	lookEvery = 4096
)

// ErrLimit refuses a dump whose limit is less than an empty file takes.
var ErrLimit = errors.New("the limit leaves no room for packets")

// ErrStalled ends a dump whose reader took nothing for StallLimit.
var ErrStalled = errors.New("the reader took nothing for 5 minutes")

// ErrGaveWay ends a dump whose reader took nothing for GiveWay while others
// waited.
var ErrGaveWay = errors.New("the reader took nothing for 30 seconds, and others waited for their turn")

// A Request says which packets are wanted, and in what form.
type Request struct {
	// PCAPNG asks for pcapng instead of classic pcap.
	PCAPNG bool
	// Query bounds the packets' times.
	Query cache.Query
	// Filter chooses packets; nil takes all. Of a host, only what may hold its
	// packets is read.
	Filter *filter.Set
	// Exclude leaves packets out; nil leaves out none.
	Exclude *filter.Set
	// Limit is the most bytes that the file may have, 0 for any. The oldest
	// packets are kept, of one instant all or none. What does not fit even an empty
	// file is ErrLimit.
	Limit int64
	// End, if not nil, asks for what comes, too: after what is there the dump goes
	// on until End is closed or the query's Until has passed.
	End <-chan struct{}
}

// A Result says what was sent.
type Result struct {
	Packets uint64
	Bytes   int64
	// First and Last are the times of the first and the last packet in
	// nanoseconds since the Unix epoch; both 0 without packets.
	First, Last int64
	// Missing packets were evicted before the dump came to them, because its reader
	// is slow or the cache small.
	Missing uint64
	// LimitReached: there was more than Limit allowed, from Next on, in nanoseconds
	// since the Unix epoch. It is later than Last, so that a dump since then goes on
	// exactly, unless more packets than Limit or a buffer holds are of one instant;
	// those then come again.
	LimitReached bool
	Next         int64
}

// A Writer takes the file. A write of a whole buffer that meets the deadline
// is an error that satisfies errors.Is(err, os.ErrDeadlineExceeded). A deadline
// that is set during a write counts for that.
type Writer interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}

// Facts are what is known of a capture beyond its packets.
type Facts interface {
	// Section describes the machine and the service, and in its comments what
	// is there and what is not.
	Section() pcapio.Section
	// Counters tells the totals of every interface since the service started,
	// as of the call.
	Counters() func(packet.InterfaceID) (received, dropped uint64)
}

// A Dumper makes dumps of one cache.
type Dumper struct {
	cache   *cache.Cache
	facts   Facts
	desks   *desks
	now     func() int64 // wall clock, in nanoseconds since the Unix epoch
	started int64
}

// New makes a Dumper.
func New(c *cache.Cache, facts Facts) *Dumper {
	now := func() int64 { return time.Now().UnixNano() }
	return &Dumper{cache: c, facts: facts, desks: newDesks(c), now: now, started: now()}
}

// Activity is how many dumps are being sent, how many wait for their turn, and
// how many have been sent whole.
func (d *Dumper) Activity() (active, waiting int, served uint64) { return d.desks.activity() }

// Estimate is about how many bytes a dump of everything has.
func (d *Dumper) Estimate(req Request) int64 {
	stats := d.cache.Stats()
	held := stats.Held()
	record := uint64(16)
	if req.PCAPNG {
		record = 32 + 12 // block, flags, and padding
	}
	return int64(held.Bytes + held.Packets*record)
}

// Dump writes one capture file to w, its header at once. It holds what is there
// then, or, if it has to wait for its turn, when that has come.
func (d *Dumper) Dump(ctx context.Context, req Request, w Writer) (Result, error) {
	if req.Filter != nil {
		req.Query.Addresses = req.Filter.Expr().Hosts()
	}
	f, mark := &file{d: d, req: req, w: w}, &cache.Mark{}
	err := f.history(ctx, mark)
	if err == nil && req.End != nil {
		err = f.follow(ctx, mark)
	}
	if err == nil {
		err = f.end()
	}
	if err == nil {
		d.desks.count()
	}
	return f.result, err
}

// totals tells those of an interface, as of now.
func (d *Dumper) totals() func(packet.InterfaceID) pcapio.Statistics {
	now, counters := d.now(), d.facts.Counters()
	return func(id packet.InterfaceID) pcapio.Statistics {
		received, dropped := counters(id)
		return pcapio.Statistics{Start: d.started, Time: now, End: now, Received: received, OSDropped: dropped}
	}
}

// QueryBetween bounds times, zero for open.
func QueryBetween(since, until time.Time) cache.Query {
	q := cache.All
	q.Since, q.Until = packet.Between(since, until)
	return q
}
