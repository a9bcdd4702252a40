package rawsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/capture"
)

// New prepares to open raw sockets, of protocol 0, IPPROTO_IP.
func New() *Sockets { return newSockets("ip4:0", receiveAll) }

// Values of mstcpip.h: SIO_RCVALL is _WSAIOW(IOC_VENDOR, 1).
const (
	sioRcvAll     = 0x98000001
	rcvAllOn      = 1 // RCVALL_ON: in promiscuous mode
	rcvAllIPLevel = 3 // RCVALL_IPLEVEL: without it
)

// receiveAll has a bound socket receive what passes its interface ("SIO_RCVALL
// Control Code").
func receiveAll(conn syscall.RawConn, promiscuous bool) error {
	mode := uint32(rcvAllIPLevel)
	if promiscuous {
		mode = rcvAllOn
	}
	var in [4]byte
	binary.NativeEndian.PutUint32(in[:], mode)
	var err error
	controlErr := conn.Control(func(fd uintptr) {
		var returned uint32
		err = windows.WSAIoctl(windows.Handle(fd), sioRcvAll, &in[0], uint32(len(in)), nil, 0, &returned, nil, 0)
	})
	if err = errors.Join(controlErr, err); err != nil {
		return fmt.Errorf("SIO_RCVALL: %w", err)
	}
	return nil
}

// explain says what errors of Winsock mean here.
func explain(err error) error {
	switch {
	case errors.Is(err, windows.WSAEACCES):
		return fmt.Errorf("%w: %w (raw sockets need an administrator)", fs.ErrPermission, err)
	case errors.Is(err, windows.WSAEADDRNOTAVAIL):
		return fmt.Errorf("%w: %w", capture.ErrVanished, err)
	}
	return err
}

// now is the time in nanoseconds since the Unix epoch. Go's own clock steps by
// up to 16 ms on Windows ("GetSystemTimePreciseAsFileTime function").
func now() int64 {
	var t windows.Filetime
	windows.GetSystemTimePreciseAsFileTime(&t)
	return t.Nanoseconds()
}
