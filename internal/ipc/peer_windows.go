package ipc

import (
	"net"

	"golang.org/x/sys/windows"
)

// identify tells who connected. The pipe's descriptor has let it in, so it
// may. Impersonation would name the user beyond doubt, but only once the
// client has written something, which most never do; so the user is that of
// the client's process.
func (a *accounts) identify(c net.Conn) (Peer, bool, error) {
	peer := Peer{UID: -1, GID: -1}
	var pid uint32
	if windows.GetNamedPipeClientProcessId(pipeHandle(c), &pid) == nil {
		peer = a.describe(pid)
	}
	return peer, true, nil
}

// hungUp reports whether the other end is closed: a pipe has no other end of
// reading.
func hungUp(net.Conn) bool { return true }

// describe names the user and the program of a process, as far as it may be
// opened.
func (a *accounts) describe(pid uint32) Peer {
	peer := Peer{PID: int(pid), UID: -1, GID: -1}
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return peer
	}
	defer func() { _ = windows.CloseHandle(process) }()
	path := make([]uint16, 4096)
	size := uint32(len(path))
	if windows.QueryFullProcessImageName(process, 0, &path[0], &size) == nil {
		peer.Program = windows.UTF16ToString(path[:size])
	}
	var token windows.Token
	if windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token) != nil {
		return peer
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return peer
	}
	peer.User = a.name(user.User.Sid)
	return peer
}
