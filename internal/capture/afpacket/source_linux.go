package afpacket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// DefaultBlockTimeout brings each packet to the sink within 100 ms. While no
// packets come, nobody is woken.
const DefaultBlockTimeout = 50 * time.Millisecond

// A Config says what to capture from, and how.
type Config struct {
	// Interface is announced to the sink. Index says which it is or, if that is
	// 0, Name does. The link type is found out; SnapLen, if not 0, cuts packets.
	Interface packet.Interface
	// RingBytes is the size of the ring, at least MinRing. The ring is a little
	// smaller if that is not a whole number of blocks, and smaller still if the
	// kernel has not so much memory.
	RingBytes int
	// Promiscuous asks the interface for frames addressed to others, too.
	Promiscuous bool
	// BlockTimeout is how long packets wait for their block to fill, in whole
	// milliseconds; 0 means DefaultBlockTimeout. They wait twice that at most.
	BlockTimeout time.Duration
	// Filter is the capture filter.
	Filter capture.Filter
}

// A Source captures from one interface. It begins when it is opened, so that
// nothing is missed before Run.
type Source struct {
	iface packet.Interface
	index int
	sock  int
	ring  *ring
	walk  walker

	// file wraps sock for Go's poller, on which Run waits: that takes no thread
	// for each interface, and wakes up far more cheaply than a poll(2) of our
	// own, for which the runtime would rouse its monitor thread each time.
	file   *os.File
	conn   syscall.RawConn
	look   func(uintptr) bool // whether the poller should go on to wait
	looked bool
	stop   atomic.Bool // set when Run is to end

	// down is how long to wait before looking whether the interface, which
	// was down when last heard of, still exists; 0 while it is up.
	down time.Duration
	// wakes counts how often Run was woken, for the test of idle cost.
	wakes atomic.Uint64

	received atomic.Uint64

	mu      sync.Mutex // guards the following, and sock against being closed
	dropped uint64
	asked   time.Time // when the kernel was last asked for its drops
	closed  bool
}

var _ capture.Source = (*Source)(nil)

// Open begins to capture. The error satisfies errors.Is(err, fs.ErrPermission)
// without the capability CAP_NET_RAW, and errors.Is(err, capture.ErrVanished)
// if there is no such interface.
func Open(cfg Config) (_ *Source, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("capture from %s: %w", cfg.Interface.Name, explain(err))
		}
	}()
	s := &Source{iface: cfg.Interface, index: cfg.Interface.Index}
	if s.index == 0 {
		found, err := net.InterfaceByName(cfg.Interface.Name)
		if err != nil {
			return nil, errors.Join(capture.ErrVanished, err)
		}
		s.index = found.Index
	}
	s.iface.Index = s.index

	sock, hardware, cooked, err := openSocket(s.index)
	if err != nil {
		return nil, err
	}
	s.sock = sock
	s.file = os.NewFile(uintptr(sock), "packet socket") // which closes it from now on
	defer func() {
		if err != nil {
			err = errors.Join(err, s.file.Close())
		}
	}()
	if err = s.prepareWait(); err != nil {
		return nil, err
	}
	s.iface.LinkType, _ = linkTypeOf(hardware)
	judged, err := divide(cfg.Filter, s.iface.LinkType, cooked)
	if err != nil {
		return nil, err
	}
	if judged, err = judged.attach(sock); err != nil {
		return nil, fmt.Errorf("attach the capture filter %q: %w", cfg.Filter.Text, err)
	}
	s.walk.prepare(s.iface, cooked, hardware == unix.ARPHRD_LOOPBACK, judged)

	if s.ring, err = configure(sock, s.index, cfg); err != nil {
		return nil, err
	}
	if err = bind(sock, s.index, unix.ETH_P_ALL); err != nil {
		return nil, errors.Join(err, s.ring.close())
	}
	return s, nil
}

// RingBytes is the size that the ring really has.
func (s *Source) RingBytes() int { return len(s.ring.mem) }

// Run implements capture.Source. When ctx is done it still delivers what the
// interface had passed until then.
func (s *Source) Run(ctx context.Context, sink capture.Sink) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()

	defer context.AfterFunc(ctx, func() {
		s.stop.Store(true)
		_ = s.file.SetReadDeadline(time.Now()) // ends the waiting; fails only if Run has ended
	})()

	if s.walk.iface, err = sink.Interface(s.iface); err != nil {
		return fmt.Errorf("announce %s: %w", s.iface.Name, err)
	}
	for !s.stop.Load() {
		if s.ring.ready() {
			s.deliver(sink)
			if s.down == 0 {
				continue
			}
			err = s.heard()
		} else {
			err = s.wait()
		}
		if err != nil {
			s.finish(sink)
			return fmt.Errorf("capture from %s: %w", s.iface.Name, err)
		}
	}
	s.finish(sink)
	return nil
}

// deliver hands the current block to the sink and gives it back to the kernel.
func (s *Source) deliver(sink capture.Sink) {
	delivered, lost := s.walk.walk(s.ring.current(), sink)
	s.ring.release()
	s.received.Add(delivered)
	if lost > 0 {
		s.mu.Lock()
		s.dropped += lost
		s.mu.Unlock()
	}
}

// finish ends the intake and delivers what is left, also from the block that
// the kernel was still filling: its packet count is kept up to date in the
// block, and no CPU writes to it once bind has returned, because leaving the
// old protocol waits for all of them (synchronize_net).
func (s *Source) finish(sink capture.Sink) {
	quiet := attachNothing(s.sock)
	if quiet == nil {
		// Nothing passes the filter now, so that any other protocol will do.
		// If the interface has gone, its packets have ended, too.
		quiet = bind(s.sock, s.index, unix.ETH_P_LOOP)
		if errors.Is(quiet, capture.ErrVanished) {
			quiet = nil
		}
	}
	for range len(s.ring.mem) / s.ring.block {
		if !s.ring.ready() {
			break
		}
		s.deliver(sink)
	}
	if quiet == nil {
		s.deliver(sink)
	}
}

// Counters implements capture.Source. The kernel is asked for its drops at most
// once a second.
func (s *Source) Counters() capture.Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); !s.closed && now.Sub(s.asked) >= time.Second {
		s.asked = now
		s.addDrops()
	}
	return capture.Counters{Received: s.received.Load(), Dropped: s.dropped}
}

// addDrops adds what was dropped since the last time; asking sets the kernel's
// own count back to 0.
func (s *Source) addDrops() {
	if st, err := unix.GetsockoptTpacketStatsV3(s.sock, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		s.dropped += uint64(st.Drops)
	}
}

// close takes the last drop count and releases everything.
func (s *Source) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addDrops()
	s.closed = true
	return errors.Join(s.ring.close(), s.file.Close())
}

// explain adds to a lack of permission how to get it.
func explain(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	program, pathErr := os.Executable()
	if pathErr != nil {
		program = "/path/to/packetcache"
	}
	return fmt.Errorf("%w (run as root, or grant it: setcap cap_net_raw,cap_ipc_lock+ep %s)", err, program)
}
