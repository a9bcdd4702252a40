package afpacket

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
)

// A Platform is the Linux side of a capture.Loop.
type Platform struct{}

var _ capture.Platform = Platform{}

// Open implements capture.Platform.
func (Platform) Open(link capture.Link, cfg capture.OpenConfig) (capture.Opened, error) {
	s, err := Open(Config{
		Interface:   link.Interface,
		RingBytes:   cfg.RingBytes,
		Promiscuous: cfg.Promiscuous,
		Filter:      cfg.Filter,
	})
	if err != nil {
		return capture.Opened{}, err
	}
	return capture.Opened{Source: s, Backend: capture.BackendAFPacket, Note: s.note(), RingBytes: s.RingBytes()}, nil
}

// note says what the interface does not show.
func (s *Source) note() string {
	if s.walk.cooked {
		return "packets come without their link header; a Linux cooked header stands in its place"
	}
	return ""
}

// system names the operating system as pcapng's if_os has it.
func system() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", fmt.Errorf("uname: %w", err)
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]), nil
}
