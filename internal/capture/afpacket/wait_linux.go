package afpacket

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
)

const (
	firstLook = 50 * time.Millisecond
	lastLook  = 30 * time.Second
)

// wait returns when there may be a block to read or Run should stop. It takes
// no notice of an interface that goes down: the kernel resumes when it comes up
// again. One that vanishes goes down first, and then there is no further sign,
// so that after going down it is looked for, at growing intervals.
func (s *Source) wait() error {
	timeout := -1
	if s.down > 0 {
		timeout = int(s.down / time.Millisecond)
	}
	s.watch[0].Revents, s.watch[1].Revents = 0, 0
	n, err := unix.Poll(s.watch[:], timeout)
	s.polls.Add(1)
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("poll: %w", err)
	case n == 0:
		s.down = min(2*s.down, lastLook)
		return s.exists()
	case s.watch[0].Revents&unix.POLLERR != 0:
		return s.sawError()
	}
	return nil
}

// sawError takes the socket's pending error.
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
