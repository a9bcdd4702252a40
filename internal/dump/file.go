package dump

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// A file is a capture file on its way. While one buffer is written by a
// goroutine of its own, the next is filled.
type file struct {
	d       *Dumper
	req     Request
	w       Writer
	desk    *desk // nil while it waits for its turn, or for packets
	form    pcapio.Form
	types   []packet.LinkType // by interface
	closing int               // bytes that the file's end takes, at most
	made    int64             // bytes of the buffers before buf
	buf     []byte
	flushed time.Time
	full    chan []byte // to the writing goroutine
	written chan error  // from it, for each buffer
	pending bool        // a buffer is being written
	quick   bool        // the last write took less than handing it over does
	run     run
	held    []byte // the run while buffers change
	result  Result // Bytes is, like quick, the writer's as long as one is
}

// history sends the header, and what is there when there is a desk for it, and
// sets mark to that moment.
func (f *file) history(ctx context.Context, mark *cache.Mark) error {
	at := f.d.desks.tryTake()
	if at != nil {
		defer func() { f.d.desks.leave(at) }()
		at.reader.Begin(f.req.Query)
	}
	if err := f.begin(at != nil); err != nil {
		return err
	}
	if at == nil {
		var err error
		if at, err = f.d.desks.take(ctx); err != nil {
			return fmt.Errorf("waiting for other dumps to end: %w", err)
		}
		defer func() { f.d.desks.leave(at) }()
		at.reader.Begin(f.req.Query)
	}
	at.reader.Mark(mark)
	err := f.body(ctx, at)
	f.result.Missing = at.reader.Missing()
	return err
}

// begin sends the file's header. Known says that nothing else is to be in the file
// than what is there now.
func (f *file) begin(known bool) error {
	interfaces := f.learn()
	if f.req.PCAPNG {
		f.form = &pcapio.PCAPNGForm{Section: f.d.facts.Section, Totals: f.d.totals}
	} else {
		f.form = &pcapio.PCAPForm{Open: !known || f.req.End != nil}
	}
	header := f.form.Begin(nil, interfaces)
	f.closing = len(f.form.End(nil, interfaces))
	if empty := int64(len(header) + f.closing); f.req.Limit > 0 && empty > f.req.Limit {
		return fmt.Errorf("%w: without any the file has %d bytes", ErrLimit, empty)
	}
	f.made = int64(len(header))
	return f.write(header)
}

// end sends what stands behind the packets.
func (f *file) end() error {
	if last := f.form.End(nil, f.learn()); len(last) > 0 {
		return f.write(last)
	}
	return nil
}

// learn reads the link types of all interfaces, and returns the interfaces.
func (f *file) learn() []pcapio.Described {
	interfaces, stats := f.d.cache.Interfaces()
	f.types = f.types[:0]
	list := make([]pcapio.Described, len(interfaces))
	for i := range interfaces {
		f.types = append(f.types, interfaces[i].LinkType)
		list[i] = pcapio.Described{Interface: interfaces[i], Holds: stats[i].Stored().Packets > 0}
	}
	return list
}

// body sends the packets that the desk's reader shows.
func (f *file) body(ctx context.Context, at *desk) error {
	f.desk, f.buf = at, at.buf[:0]
	f.full, f.written = make(chan []byte), make(chan error, 1)
	go func(full <-chan []byte, written chan<- error) {
		for b := range full {
			written <- f.write(b)
		}
	}(f.full, f.written)
	err := f.packets(ctx)
	if err == nil {
		f.run.at = -1
		err = f.flush()
	}
	clear(f.held[:cap(f.held)])
	if last := f.settle(); err == nil {
		err = last
	}
	close(f.full)
	f.desk, f.buf = nil, nil
	return err
}

// packets sends those that the request wants.
func (f *file) packets(ctx context.Context) error {
	f.flushed = time.Now()
	for passed := 0; ; {
		list := f.desk.batch[:]
		list = list[:f.desk.reader.Read(list)]
		if len(list) == 0 {
			return nil
		}
		if passed += len(list); passed >= lookEvery {
			passed = 0
			if err := f.look(ctx); err != nil {
				return err
			}
		}
		for list = f.choose(list); len(list) > 0 && !f.result.LimitReached; {
			n, err := f.add(list)
			if err != nil {
				return err
			}
			list = list[n:]
		}
		if f.result.LimitReached {
			return nil
		}
	}
}

// choose keeps the packets that are wanted.
func (f *file) choose(list []packet.Packet) []packet.Packet {
	for i := range list {
		if int(list[i].Interface) >= len(f.types) { // it came while the dump waited
			interfaces := f.learn()
			f.buf = f.form.More(f.buf, interfaces)
			f.closing = len(f.form.End(nil, interfaces))
			f.run.at = -1 // what describes them is not given back
			break
		}
	}
	if f.req.Filter != nil {
		list = f.keep(list, f.req.Filter, true)
	}
	if f.req.Exclude != nil {
		list = f.keep(list, f.req.Exclude, false)
	}
	return list
}

// keep keeps the packets that match, or that do not.
func (f *file) keep(list []packet.Packet, by *filter.Set, matching bool) []packet.Packet {
	kept := list[:0]
	for i := range list {
		p := &list[i]
		if by.Match(f.types[p.Interface], p.Data, p.OrigLen) == matching {
			kept = append(kept, *p)
		}
	}
	return kept
}

// add appends packets to the file and returns how many; it makes room first if
// there is none.
func (f *file) add(list []packet.Packet) (int, error) {
	need := len(list[0].Data) + pcapio.RecordRoom
	for len(f.buf) > 0 && len(f.buf)+need > cap(f.buf) {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if need > cap(f.buf) {
		f.buf = make([]byte, 0, need)
	}
	most := math.MaxInt
	if f.req.Limit > 0 {
		most = int(f.req.Limit - f.made - int64(f.closing))
		list = list[:1]
		f.runOf(list[0].Time)
	}
	var n int
	f.buf, n = f.form.Packets(f.buf, list, f.types, most)
	if n == 0 {
		f.reachLimit(list[0].Time)
		return 0, nil
	}
	if f.result.Packets == 0 {
		f.result.First = list[0].Time
	}
	f.result.Packets += uint64(n)
	f.result.Last = list[n-1].Time
	return n, nil
}

// look ends the dump when the client has gone, and sends what has waited.
func (f *file) look(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(f.buf) > 0 && time.Since(f.flushed) > flushEvery {
		return f.flush()
	}
	return nil
}

// flush hands the buffer to the writer when that is done with the other, which
// is filled next. Where a write takes no time it is done at once.
func (f *file) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	if err := f.settle(); err != nil {
		return err
	}
	f.flushed = time.Now()
	kept := f.keepRun()
	f.made += int64(len(f.buf))
	if f.quick {
		err := f.write(f.buf)
		f.buf = append(f.buf[:0], kept...)
		return err
	}
	f.full <- f.buf
	f.pending = true
	f.desk.buf, f.desk.spare = f.desk.spare, f.buf[:0]
	f.buf = append(f.desk.buf[:0], kept...)
	return nil
}

// settle waits for the writer.
func (f *file) settle() error {
	if !f.pending {
		return nil
	}
	f.pending = false
	return <-f.written
}

// write sends bytes of the file to the client.
func (f *file) write(b []byte) error {
	if err := f.w.SetWriteDeadline(time.Now().Add(StallLimit)); err != nil {
		return fmt.Errorf("sending the dump: %w", err)
	}
	if f.desk != nil {
		f.d.desks.beginWrite(f.desk, func() { _ = f.w.SetWriteDeadline(longAgo) })
	}
	begun := time.Now()
	n, err := f.w.Write(b)
	f.quick = time.Since(begun) < quickWrite
	f.result.Bytes += int64(n)
	gaveWay := f.desk != nil && f.d.desks.endWrite(f.desk)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if err = ErrStalled; gaveWay {
			err = ErrGaveWay
		}
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

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)
