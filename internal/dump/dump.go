// Package dump sends what the cache holds as one capture file: to whoever
// connects to the dump endpoint, and to the clients of the control endpoint.
package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
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
	// bufferSize is how much is formatted before it is written; a larger record
	// makes it grow. More of it makes dumps no faster.
	bufferSize = 64 << 10
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

// A Request says which packets are wanted, and in what form.
type Request struct {
	// PCAPNG asks for pcapng instead of classic pcap.
	PCAPNG bool
	// Query bounds the packets' times.
	Query cache.Query
	// Filter chooses packets; nil takes all.
	Filter *filter.Set
	// Limit is the most bytes that the file may have, 0 for any. The oldest
	// packets are kept. What does not fit even an empty file is ErrLimit.
	Limit int64
}

// A Result says what was sent.
type Result struct {
	Packets uint64
	Bytes   int64
	// First and Last are the times of the first and the last packet in
	// nanoseconds since the Unix epoch; both 0 without packets.
	First, Last int64
	// Missing packets were evicted before the dump came to them.
	Missing uint64
	// LimitReached: there was more than Limit allowed.
	LimitReached bool
}

// A Writer takes the file. A write of a whole buffer that meets the deadline
// is an error that satisfies errors.Is(err, os.ErrDeadlineExceeded).
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
	desks   desks
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

// Dump writes one capture file to w, its header at once.
func (d *Dumper) Dump(ctx context.Context, req Request, w Writer) (Result, error) {
	f := d.begin(req, w)
	if empty := int64(len(f.buf) + f.closing); req.Limit > 0 && empty > req.Limit {
		return f.result, fmt.Errorf("%w: without any the file has %d bytes", ErrLimit, empty)
	}
	if err := f.flush(); err != nil {
		return f.result, err
	}
	f.buf = nil // the wait may be long
	desk, err := d.desks.take(ctx)
	if err != nil {
		return f.result, fmt.Errorf("waiting for other dumps to end: %w", err)
	}
	defer d.desks.leave(desk)
	f.buf = desk.buf[:0]
	err = f.packets(ctx, desk.reader)
	f.result.Missing = desk.reader.Missing()
	if err == nil {
		f.end()
		err = f.flush()
	}
	if err == nil {
		d.desks.count()
	}
	return f.result, err
}

// A file is a capture file on its way.
type file struct {
	d       *Dumper
	req     Request
	w       Writer
	form    form
	types   []packet.LinkType // by interface
	closing int               // bytes that the file's end takes, at most
	buf     []byte
	result  Result
	flushed time.Time
}

// begin makes the file's header.
func (d *Dumper) begin(req Request, w Writer) *file {
	f := &file{d: d, req: req, w: w}
	interfaces := f.learn()
	if req.PCAPNG {
		f.form = &pcapngForm{d: d}
	} else {
		f.form = &pcapForm{}
	}
	f.buf = f.form.begin(f.buf, interfaces)
	f.closing = len(f.form.end(nil, interfaces))
	return f
}

// learn reads the link types of all interfaces, and returns the interfaces.
func (f *file) learn() []described {
	interfaces, stats := f.d.cache.Interfaces()
	f.types = f.types[:0]
	list := make([]described, len(interfaces))
	for i := range interfaces {
		f.types = append(f.types, interfaces[i].LinkType)
		list[i] = described{interfaces[i], stats[i].Stored().Packets > 0}
	}
	return list
}

// described is an interface, and whether packets of it are held.
type described struct {
	packet.Interface
	holds bool
}

// packets sends those that the request wants.
func (f *file) packets(ctx context.Context, r *cache.Reader) error {
	defer r.End()
	r.Begin(f.req.Query)
	f.flushed = time.Now()
	var p packet.Packet
	for n := 1; r.Next(&p); n++ {
		if n%lookEvery == 0 {
			if err := f.look(ctx); err != nil {
				return err
			}
		}
		if int(p.Interface) >= len(f.types) {
			interfaces := f.learn()
			f.buf = f.form.more(f.buf, interfaces)
			f.closing = len(f.form.end(nil, interfaces))
		}
		lt := f.types[p.Interface]
		if f.req.Filter != nil && !f.req.Filter.Match(lt, p.Data, p.OrigLen) {
			continue
		}
		if len(f.buf)+len(p.Data)+recordRoom > cap(f.buf) {
			if err := f.flush(); err != nil {
				return err
			}
		}
		before := len(f.buf)
		if f.buf = f.form.packet(f.buf, &p, lt); len(f.buf) == before {
			continue
		}
		if f.req.Limit > 0 && f.result.Bytes+int64(len(f.buf)+f.closing) > f.req.Limit {
			f.buf = f.buf[:before]
			f.result.LimitReached = true
			break
		}
		if f.result.Packets == 0 {
			f.result.First = p.Time
		}
		f.result.Packets++
		f.result.Last = p.Time
	}
	return nil
}

// look ends the dump when the client has gone, and sends what has waited.
func (f *file) look(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(f.buf) > 0 && time.Since(f.flushed) > flushEvery {
		return f.flush()
	}
	return nil
}

func (f *file) end() { f.buf = f.form.end(f.buf, f.learn()) }

func (f *file) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	f.flushed = time.Now()
	if err := f.w.SetWriteDeadline(f.flushed.Add(StallLimit)); err != nil {
		return fmt.Errorf("sending the dump: %w", err)
	}
	n, err := f.w.Write(f.buf)
	f.result.Bytes += int64(n)
	f.buf = f.buf[:0]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrStalled
	}
	var where *net.OpError
	if errors.As(err, &where) {
		err = where.Err // the address says nothing: a client has none
	}
	if err != nil {
		return fmt.Errorf("sending the dump: %w", err)
	}
	return nil
}

// QueryBetween bounds times, zero for open.
func QueryBetween(since, until time.Time) cache.Query {
	q := cache.All
	if !since.IsZero() {
		q.Since = nanos(since)
	}
	if !until.IsZero() {
		q.Until = nanos(until)
	}
	return q
}

// nanos is a time in nanoseconds since the Unix epoch, or the nearest that
// can be told: those reach from 1677 to 2262.
func nanos(t time.Time) int64 {
	switch {
	case t.Year() < 1678:
		return math.MinInt64
	case t.Year() > 2261:
		return math.MaxInt64
	default:
		return t.UnixNano()
	}
}
