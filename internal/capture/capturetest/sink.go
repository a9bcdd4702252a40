package capturetest

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A Sink keeps copies of all that it gets and complains of what a Source must
// not do. NewSink makes one.
type Sink struct {
	mu         sync.Mutex
	interfaces []packet.Interface
	packets    []packet.Packet
	complaints []string
	refusal    error
	hold       chan struct{}
}

// firstID is what the first interface gets, not 0, so that a Source that
// forgets to ask is found out.
const firstID = 7

// NewSink makes an empty sink.
func NewSink() *Sink { return &Sink{} }

// Refuse makes Interface fail.
func (s *Sink) Refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

// Hold makes Packets block until the returned function is called.
func (s *Sink) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := make(chan struct{})
	s.hold = hold
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.hold == hold {
			s.hold = nil
			close(hold)
		}
	}
}

// Interface implements capture.Sink.
func (s *Sink) Interface(i packet.Interface) (packet.InterfaceID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		return 0, s.refusal
	}
	if i.Name == "" {
		s.complain("an interface without a name was announced: %+v", i)
	}
	for n, known := range s.interfaces {
		if known.Name == i.Name && known.LinkType == i.LinkType {
			s.interfaces[n] = i
			return packet.InterfaceID(firstID + n), nil
		}
	}
	s.interfaces = append(s.interfaces, i)
	return packet.InterfaceID(firstID + len(s.interfaces) - 1), nil
}

// Packets implements capture.Sink.
func (s *Sink) Packets(batch []packet.Packet) {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	copies := make([]packet.Packet, len(batch))
	for i, p := range batch {
		copies[i] = p
		copies[i].Data = bytes.Clone(p.Data)
	}
	runtime.Gosched() // what is borrowed must still be there afterwards

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(batch) == 0 {
		s.complain("an empty batch came")
	}
	for i, p := range batch {
		s.check(p)
		if !bytes.Equal(p.Data, copies[i].Data) {
			s.complain("a packet changed while it was borrowed")
		}
	}
	s.packets = append(s.packets, copies...)
}

// check complains of a packet that is not well-formed.
func (s *Sink) check(p packet.Packet) {
	switch n := int(p.Interface) - firstID; {
	case n < 0 || n >= len(s.interfaces):
		s.complain("a packet came from interface %d, which was not announced", p.Interface)
	case len(p.Data) > packet.MaxLen:
		s.complain("a packet has %d bytes, more than packet.MaxLen", len(p.Data))
	case int64(p.OrigLen) < int64(len(p.Data)):
		s.complain("a packet of %d bytes claims to have had only %d", len(p.Data), p.OrigLen)
	case p.Direction > packet.Outbound:
		s.complain("a packet has the direction %d", p.Direction)
	}
}

func (s *Sink) complain(format string, args ...any) {
	s.complaints = append(s.complaints, fmt.Sprintf(format, args...))
}

// Complaints returns what was wrong so far.
func (s *Sink) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.complaints...)
}

// Got returns the packets so far; their Data are the sink's own copies.
func (s *Sink) Got() []packet.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]packet.Packet(nil), s.packets...)
}

// Interfaces returns what was announced so far, in order of first announcement.
func (s *Sink) Interfaces() []packet.Interface {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]packet.Interface(nil), s.interfaces...)
}

// Await polls until n packets have come.
func (s *Sink) Await(t testing.TB, n int) {
	t.Helper()
	Eventually(t, patience, fmt.Sprintf("%d packets", n), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.packets) >= n
	})
}

// AwaitInterface polls until an interface has been announced.
func (s *Sink) AwaitInterface(t testing.TB) {
	t.Helper()
	Eventually(t, patience, "the announcement of an interface", func() bool { return len(s.Interfaces()) > 0 })
}
