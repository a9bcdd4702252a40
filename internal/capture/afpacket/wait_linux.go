package afpacket

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
)

const (
	firstLook = 50 * time.Millisecond
	lastLook  = 30 * time.Second
)

// prepareWait readies the socket for Go's poller.
func (s *Source) prepareWait() (err error) {
	if s.conn, err = s.file.SyscallConn(); err != nil {
		return fmt.Errorf("wait on the packet socket: %w", err)
	}
	// The poller tells of changes only, so that the ring is looked at after it
	// has been armed; after that, any change is worth a look at everything.
	s.look = func(uintptr) bool {
		done := s.looked || s.ring.ready()
		s.looked = true
		return done
	}
	if err = s.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("wait on the packet socket: %w", err)
	}
	return nil
}

// wait returns when there may be a block to read or Run should stop. It takes
// no notice of an interface that goes down: the kernel resumes when it comes up
// again. One that vanishes goes down first, and then there is no further sign,
// so that after going down it is looked for, at growing intervals.
func (s *Source) wait() error {
	if s.down > 0 {
		if err := s.file.SetReadDeadline(time.Now().Add(s.down)); err != nil {
			return fmt.Errorf("set a deadline: %w", err)
		}
		if s.stop.Load() {
			return nil // the deadline may have replaced the one that meant this
		}
	}
	s.looked = false
	err := s.conn.Read(s.look)
	s.wakes.Add(1)
	switch {
	case s.stop.Load():
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.down = min(2*s.down, lastLook)
		return s.exists()
	case err != nil:
		return fmt.Errorf("wait for packets: %w", err)
	case !s.ring.ready():
		return s.sawError()
	}
	return nil
}

// heard notes that packets come, and that the interface is up therefore.
func (s *Source) heard() error {
	s.down = 0
	if err := s.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clear a deadline: %w", err)
	}
	return nil
}

// sawError takes the socket's pending error, if there is one.
func (s *Source) sawError() error {
	code, err := unix.GetsockoptInt(s.sock, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return fmt.Errorf("ask for the socket's error: %w", err)
	}
	switch errno := unix.Errno(code); errno {
	case 0:
		return nil
	case unix.ENETDOWN:
		s.down = firstLook
		return s.exists()
	default:
		return fmt.Errorf("packet socket: %w", errno)
	}
}

// exists returns ErrVanished if the interface is gone: the kernel then takes
// its index from the socket.
func (s *Source) exists() error {
	bound, err := unix.Getsockname(s.sock)
	if err != nil {
		return fmt.Errorf("ask for the socket's interface: %w", err)
	}
	if link, ok := bound.(*unix.SockaddrLinklayer); !ok || link.Ifindex != s.index {
		return capture.ErrVanished
	}
	return nil
}
