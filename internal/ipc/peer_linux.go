package ipc

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// identifier returns the policy of an endpoint: root, the account that the
// service runs as, and the members of group gid (-1 for none) may connect.
// The mode of the socket says the same to the kernel; this is the second lock,
// for a socket whose mode was changed or that was handed on.
func identifier(gid int) func(net.Conn) (Peer, bool, error) {
	self := os.Geteuid()
	return func(c net.Conn) (Peer, bool, error) {
		uc, ok := c.(*net.UnixConn)
		if !ok {
			return Peer{}, false, fmt.Errorf("not a socket: %T", c)
		}
		cred, err := credentials(uc)
		if err != nil {
			return Peer{}, false, err
		}
		_ = uc.SetWriteBuffer(bufferSize)
		peer := Peer{
			PID:     int(cred.Pid),
			UID:     int(cred.Uid),
			GID:     int(cred.Gid),
			User:    userName(cred.Uid),
			Program: programOf(int(cred.Pid)),
		}
		allowed := peer.UID == 0 || peer.UID == self
		if !allowed && gid >= 0 {
			allowed = peer.GID == gid || slices.Contains(supplementaryGroups(uc), uint32(gid))
		}
		return peer, allowed, nil
	}
}

// credentials are those of the process that connected, or that listens, as of
// then (SO_PEERCRED in unix(7)).
func credentials(c *net.UnixConn) (cred *unix.Ucred, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); e != nil {
		return nil, e
	}
	return cred, err
}

// hungUp reports whether the other end of a connection is closed for both ways
// (POLLHUP in poll(2)).
func hungUp(c net.Conn) bool {
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return true
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return true
	}
	closed := true
	err = raw.Control(func(fd uintptr) {
		polled := []unix.PollFd{{Fd: int32(fd)}} // POLLHUP is always told
		if _, err := unix.Poll(polled, 0); err == nil {
			closed = polled[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		} else {
			closed = false // interrupted: it is asked again
		}
	})
	return err != nil || closed
}

// supplementaryGroups are those that the client had when it connected
// (SO_PEERGROUPS in unix(7), Linux 4.13); nil when the kernel does not tell.
// Unlike /proc/PID/status they cannot be those of a later process.
func supplementaryGroups(c *net.UnixConn) (groups []uint32) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) {
		groups = make([]uint32, 64)
		for range 2 {
			size := uint32(4 * len(groups))
			_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
				uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
			if errno == 0 {
				groups = groups[:size/4]
				return
			}
			// NGROUPS_MAX is 65536 (credentials(7)).
			if !errors.Is(errno, unix.ERANGE) || size > 4*65536 {
				break
			}
			groups = make([]uint32, size/4)
		}
		groups = nil
	})
	return groups
}

func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// programOf is the executable of a process; its command name when the link
// may not be read.
func programOf(pid int) string {
	if pid <= 0 {
		return ""
	}
	proc := "/proc/" + strconv.Itoa(pid)
	if exe, err := os.Readlink(proc + "/exe"); err == nil {
		return exe
	}
	comm, err := os.ReadFile(proc + "/comm")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(comm))
}
