package rawsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// leave is how long Run goes on to take what the sockets had received when it
// was told to end.
const leave = 100 * time.Millisecond

// A Source captures from one interface, at all of its addresses.
type Source struct {
	// Left are addresses that there was no memory for.
	Left []netip.Addr

	sockets   *Sockets
	iface     packet.Interface
	ring      int
	match     func(data []byte, origLen uint32) bool
	listeners []*listener
	received  atomic.Uint64
	dropped   atomic.Uint64
}

var _ capture.Source = (*Source)(nil)

// RingBytes is the memory that the buffers take.
func (s *Source) RingBytes() int { return s.ring }

// Run implements capture.Source.
func (s *Source) Run(ctx context.Context, sink capture.Sink) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	id, err := sink.Interface(s.iface)
	if err != nil {
		return fmt.Errorf("announce %s: %w", s.iface.Name, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		for _, l := range s.listeners {
			_ = l.conn.SetReadDeadline(time.Now().Add(leave)) // fails only if Run has ended
		}
	})()
	var all sync.WaitGroup
	for _, l := range s.listeners {
		all.Go(func() {
			if err := l.run(sink, id); !errors.Is(err, os.ErrDeadlineExceeded) {
				cancel(fmt.Errorf("capture from %s with raw sockets: %w", s.iface.Name, explain(err)))
			}
		})
	}
	all.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// Counters implements capture.Source. Dropped are packets that came and are no
// IPv4; what a full buffer could not take is not known.
func (s *Source) Counters() capture.Counters {
	return capture.Counters{Received: s.received.Load(), Dropped: s.dropped.Load()}
}

func (s *Source) close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.conn.Close())
	}
	return errors.Join(errs...)
}

// A listener reads from the socket at one address.
type listener struct {
	source *Source
	conn   *net.IPConn
	number uint // among all sockets, from 1
	buf    []byte
	batch  [1]packet.Packet
}

// run delivers packets until reading fails; one at a time, as they come.
func (l *listener) run(sink capture.Sink, id packet.InterfaceID) error {
	for {
		n, err := l.conn.Read(l.buf)
		if err != nil {
			return err
		}
		p := &l.batch[0]
		*p = packet.Packet{Time: now(), Data: l.buf[:n], OrigLen: uint32(n), Interface: id}
		if l.wanted(p) {
			sink.Packets(l.batch[:])
			l.source.received.Add(1)
		}
	}
}

// wanted judges a packet, and says which way it went.
func (l *listener) wanted(p *packet.Packet) bool {
	s := l.source
	h, ok := parse(p.Data)
	if !ok {
		s.dropped.Add(1)
		return false
	}
	own := *s.sockets.own.Load()
	p.Direction = packet.Inbound
	if own[h.src] {
		p.Direction = packet.Outbound
	}
	// Two sockets can see the same packet: those at two addresses of one
	// interface, and those at both ends of one that stays within the machine.
	if len(s.listeners) > 1 || own[h.src] && own[h.dst] {
		if s.sockets.twins.seen(h, l.number, p.Time) {
			return false
		}
	}
	return s.match == nil || s.match(p.Data, p.OrigLen)
}
