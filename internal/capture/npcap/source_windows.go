package npcap

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

const (
	// timeout brings each packet to the sink within twice that, and wakes a
	// thread as often while nothing comes.
	timeout = 250 * time.Millisecond
	// askDrops is how often the driver is asked for its drops.
	askDrops = time.Second
)

// A Config says what to capture from, and how.
type Config struct {
	// Interface is announced to the sink; the link type is found out.
	Interface packet.Interface
	// Device is its name with Npcap, from Devices.
	Device string
	// RingBytes is the memory for all buffers, at least MinRing.
	RingBytes int
	// Promiscuous asks the interface for frames addressed to others, too.
	Promiscuous bool
	// Filter is the capture filter.
	Filter capture.Filter
}

// A Source captures from one interface. It begins when it is opened, so that
// nothing is missed before Run.
type Source struct {
	iface  packet.Interface
	ring   int
	handle *handle
	match  func(data []byte, origLen uint32) bool // what the driver does not judge

	stop     atomic.Bool
	received atomic.Uint64
	dropped  atomic.Uint64
	asked    time.Time // when the driver was last asked for its drops
	answered uint32    // what it said
}

var _ capture.Source = (*Source)(nil)

// Open begins to capture. The error satisfies errors.Is(err, fs.ErrPermission)
// if only administrators may capture, errors.Is(err, capture.ErrVanished) if
// there is no such interface, and errors.Is(err, ErrNotInstalled).
func (n *Npcap) Open(cfg Config) (_ *Source, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("capture from %s with Npcap: %w", cfg.Interface.Name, err)
		}
	}()
	lib, err := n.library()
	if err != nil {
		return nil, err
	}
	kernel := kernelBytes(cfg.RingBytes)
	h, err := openHandle(lib, cfg.Device, cfg.Promiscuous, kernel, timeout)
	if err != nil {
		return nil, err
	}
	s := &Source{iface: cfg.Interface, ring: kernel + userBytes + gatherBytes, handle: h}
	s.iface.LinkType = h.linkType
	if err := s.setFilter(cfg.Filter); err != nil {
		h.close()
		return nil, err
	}
	return s, nil
}

// setFilter compiles the filter and leaves to the driver what that can judge.
func (s *Source) setFilter(f capture.Filter) error {
	if f.Compile == nil {
		return nil
	}
	program, err := f.Compile(s.iface.LinkType)
	if err != nil {
		return fmt.Errorf("capture filter %q for %v: %w", f.Text, s.iface.LinkType, err)
	}
	j := divide(program, s.iface.LinkType, s.handle.lib.version())
	s.match = j.match
	if len(j.driver) > 0 && s.handle.setFilter(j.driver) != nil {
		s.match = program.Match
	}
	return nil
}

// RingBytes is the memory that the buffers take.
func (s *Source) RingBytes() int { return s.ring }

// Run implements capture.Source. All calls of wpcap.dll for the handle are made
// here, by one goroutine, since it promises nothing to more; it is the timeout
// that makes an end possible. When ctx is done Run still delivers what the
// interface had passed until then.
func (s *Source) Run(ctx context.Context, sink capture.Sink) error {
	defer s.handle.close()
	defer context.AfterFunc(ctx, func() { s.stop.Store(true) })()

	id, err := sink.Interface(s.iface)
	if err != nil {
		return fmt.Errorf("announce %s: %w", s.iface.Name, err)
	}
	g := &gatherer{sink: sink}
	var end time.Time // by which Run is to end
	for reads := 1; ; reads++ {
		stopping := s.stop.Load()
		status := s.handle.next()
		switch {
		case status > 0:
			s.take(g, id)
			if reads%batchLen != 0 && !stopping {
				continue
			}
		case status < 0 && status != errBreak:
			g.flush()
			s.askDrops()
			return fmt.Errorf("capture from %s: pcap_next_ex: %w", s.iface.Name, s.handle.explain(status))
		}
		g.flush()
		now := time.Now()
		if stopping && end.IsZero() {
			end = now.Add(timeout)
		}
		if done := stopping && (status <= 0 || now.After(end)); done || now.Sub(s.asked) >= askDrops {
			s.asked = now
			s.askDrops()
			if done {
				return nil
			}
		}
	}
}

// take gathers the packet that was just read, if it is wanted.
func (s *Source) take(g *gatherer, id packet.InterfaceID) {
	p, ok := s.handle.header.packet(s.handle.data, s.handle.nano)
	if !ok {
		s.dropped.Add(1)
		return
	}
	if s.match != nil && !s.match(p.Data, p.OrigLen) {
		return
	}
	p.Interface = id
	p.Direction = direction(s.iface.LinkType, s.iface.MAC, p.Data)
	s.received.Add(1)
	g.add(p)
}

// askDrops adds what the driver dropped since it was last asked.
func (s *Source) askDrops() {
	now, err := s.handle.dropped()
	if err != nil {
		return // as when the interface has just gone
	}
	s.dropped.Add(uint64(now - s.answered))
	s.answered = now
}

// Counters implements capture.Source. Drops are up to a second old.
func (s *Source) Counters() capture.Counters {
	return capture.Counters{Received: s.received.Load(), Dropped: s.dropped.Load()}
}
