package rawsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

const (
	// largest is the largest IPv4 packet in bytes, so that none is cut.
	largest = 65535
	// leastReceive is the least receive buffer of a socket in bytes.
	leastReceive = 64 << 10
)

// Sockets opens raw sockets. What they have in common is the machine's own
// addresses, and what was seen last, so that nothing is recorded twice.
type Sockets struct {
	network    string // as of net.ListenIP
	receiveAll func(conn syscall.RawConn, promiscuous bool) error
	own        atomic.Pointer[map[[4]byte]bool]
	twins      *twins
	opened     atomic.Uint32
}

func newSockets(network string, receiveAll func(syscall.RawConn, bool) error) *Sockets {
	s := &Sockets{network: network, receiveAll: receiveAll, twins: newTwins()}
	s.SetOwn(nil)
	return s
}

// SetOwn tells the IPv4 addresses of this machine, of all interfaces.
func (s *Sockets) SetOwn(addrs []netip.Addr) {
	own := make(map[[4]byte]bool, len(addrs))
	for _, a := range addrs {
		own[a.As4()] = true
	}
	s.own.Store(&own)
}

// A Config says what to capture from, and how.
type Config struct {
	// Interface is announced to the sink, as one that shows bare IP.
	Interface packet.Interface
	// Addrs are the interface's IPv4 addresses.
	Addrs []netip.Addr
	// RingBytes is the memory for all buffers. Each socket needs 128 KiB.
	RingBytes int
	// Promiscuous asks the interface for packets addressed to others, too.
	Promiscuous bool
	// Filter is the capture filter.
	Filter capture.Filter
}

// Open begins to capture. The error satisfies errors.Is(err, fs.ErrPermission)
// if the process is not an administrator's, and errors.Is(err,
// capture.ErrVanished) if an address is not the machine's any more.
func (s *Sockets) Open(cfg Config) (_ *Source, err error) {
	src := &Source{sockets: s, iface: cfg.Interface}
	src.iface.LinkType = packet.LinkTypeRaw
	defer func() {
		if err != nil {
			err = fmt.Errorf("capture from %s with raw sockets: %w", cfg.Interface.Name, errors.Join(err, src.close()))
		}
	}()
	if len(cfg.Addrs) == 0 {
		return nil, errors.New("it has no IPv4 address")
	}
	if f := cfg.Filter; f.Compile != nil {
		program, err := f.Compile(packet.LinkTypeRaw)
		if err != nil {
			return nil, fmt.Errorf("capture filter %q for %v: %w", f.Text, packet.LinkTypeRaw, err)
		}
		src.match = program.Match
	}
	n := min(len(cfg.Addrs), max(1, cfg.RingBytes/(largest+leastReceive)))
	src.Left = cfg.Addrs[n:]
	receive := max(leastReceive, cfg.RingBytes/n-largest)
	for _, a := range cfg.Addrs[:n] {
		conn, err := s.socket(a, receive, cfg.Promiscuous)
		if err != nil {
			return nil, fmt.Errorf("at %s: %w", a, err)
		}
		number := uint(s.opened.Add(1))
		src.listeners = append(src.listeners, &listener{source: src, conn: conn, number: number, buf: make([]byte, largest)})
	}
	src.ring = n * (receive + largest)
	return src, nil
}

// socket opens a raw socket that is bound to an address and receives all.
func (s *Sockets) socket(a netip.Addr, receive int, promiscuous bool) (*net.IPConn, error) {
	conn, err := net.ListenIP(s.network, &net.IPAddr{IP: a.AsSlice()})
	if err != nil {
		return nil, explain(err)
	}
	if err = conn.SetReadBuffer(receive); err == nil {
		var raw syscall.RawConn
		if raw, err = conn.SyscallConn(); err == nil {
			err = s.receiveAll(raw, promiscuous)
		}
	}
	if err != nil {
		return nil, errors.Join(explain(err), conn.Close())
	}
	return conn, nil
}
