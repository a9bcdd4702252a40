package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// Permitted returns nil if this process may open packet sockets, and otherwise
// the error that Open would return, which says how to change that.
func Permitted() error {
	sock, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("capture: %w", explain(fmt.Errorf("open a packet socket: %w", err)))
	}
	return unix.Close(sock)
}

// openSocket opens a packet socket for the interface that receives nothing yet,
// and finds out the interface's hardware type.
func openSocket(index int) (sock int, hardware uint16, cooked bool, err error) {
	for _, kind := range []int{unix.SOCK_RAW, unix.SOCK_DGRAM} {
		// Without a protocol the socket stays deaf until it is bound to one.
		sock, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return 0, 0, false, fmt.Errorf("open a packet socket: %w", err)
		}
		if hardware, err = bindDeaf(sock, index); err != nil {
			return 0, 0, false, errors.Join(err, unix.Close(sock))
		}
		if _, cooked = linkTypeOf(hardware); cooked == (kind == unix.SOCK_DGRAM) {
			return sock, hardware, cooked, nil
		}
		if err := unix.Close(sock); err != nil {
			return 0, 0, false, fmt.Errorf("close a packet socket: %w", err)
		}
	}
	return 0, 0, false, fmt.Errorf("the interface changed its hardware type to %d while it was opened", hardware)
}

// bindDeaf ties the socket to the interface without a protocol and returns the
// interface's hardware type.
func bindDeaf(sock, index int) (uint16, error) {
	if err := bind(sock, index, 0); err != nil {
		return 0, err
	}
	bound, err := unix.Getsockname(sock)
	if err != nil {
		return 0, fmt.Errorf("ask for the hardware type: %w", err)
	}
	link, ok := bound.(*unix.SockaddrLinklayer)
	if !ok || link.Ifindex != index {
		return 0, capture.ErrVanished
	}
	return link.Hatype, nil
}

// bind makes the socket receive what has the protocol on the interface.
func bind(sock, index int, protocol uint16) error {
	err := unix.Bind(sock, &unix.SockaddrLinklayer{Protocol: networkOrder(protocol), Ifindex: index})
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("interface %d: %w", index, capture.ErrVanished)
	}
	if err != nil {
		return fmt.Errorf("bind to interface %d: %w", index, err)
	}
	return nil
}

// configure sets the socket's options and makes its ring.
func configure(sock, index int, cfg Config) (*ring, error) {
	if err := unix.SetsockoptInt(sock, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, fmt.Errorf("choose TPACKET_V3, which Linux has from 3.2 on: %w", err)
	}
	if err := unix.SetsockoptInt(sock, unix.SOL_PACKET, unix.PACKET_RESERVE, headroom); err != nil {
		return nil, fmt.Errorf("reserve room for VLAN tags: %w", err)
	}
	if cfg.Promiscuous {
		request := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(sock, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request); err != nil {
			return nil, fmt.Errorf("set promiscuous mode: %w", err)
		}
	}
	timeout := cfg.BlockTimeout
	if timeout <= 0 {
		timeout = DefaultBlockTimeout
	}
	return newRing(sock, cfg.RingBytes, uint32(max(timeout/time.Millisecond, 1)))
}

// prepare readies the walker for an interface.
func (w *walker) prepare(iface packet.Interface, cooked, loopback bool, judged judgement) {
	w.snapLen = packet.MaxLen
	if iface.SnapLen > 0 {
		w.snapLen = min(w.snapLen, iface.SnapLen)
	}
	w.tagAt = tagOffset(iface.LinkType)
	w.cooked, w.loopback = cooked, loopback
	w.can = iface.LinkType == linkTypeSocketCAN
	w.match, w.matchAll = judged.match, judged.matchAll
	w.special = w.cooked || w.loopback || w.can || w.matchAll
}

// networkOrder gives a 16-bit number the byte order of the network.
func networkOrder(v uint16) uint16 {
	var b [2]byte
	b[0], b[1] = byte(v>>8), byte(v)
	return binary.NativeEndian.Uint16(b[:])
}
