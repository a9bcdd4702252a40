// Package ipc holds the two local endpoints that the service offers: where
// they are, who may connect, and who is at the other end. On Linux they are
// stream sockets, on Windows named pipes.
package ipc

import (
	"errors"
	"fmt"
	"net"
)

// An Endpoint is one of the two places to connect to.
type Endpoint int

const (
	// Dump sends one capture file to whoever connects, then closes.
	Dump Endpoint = iota
	// Control speaks HTTP; see package control.
	Control
)

// String names the endpoint as messages do.
func (e Endpoint) String() string {
	if e == Control {
		return "control endpoint"
	}
	return "dump endpoint"
}

var (
	// ErrNotRunning means that nothing listens at the endpoint.
	ErrNotRunning = errors.New("nothing listens there")
	// ErrPermission means that this user may not connect, or that what listens
	// is not to be trusted.
	ErrPermission = errors.New("not permitted")
	// ErrInUse means that something else listens at the endpoint already.
	ErrInUse = errors.New("already in use")
)

// bufferSize is asked of the kernel for each direction of a connection, in
// bytes. At 1 MiB a dump runs at the speed of the copies, not of the context
// switches; the kernel may give less (unix(7), net.core.wmem_max).
const bufferSize = 1 << 20

// maxConns is how many clients an endpoint serves at once unless told
// otherwise. Only administrators get that far; the limit keeps a script gone
// wild from using up memory and descriptors.
const maxConns = 64

// Config says how to listen.
type Config struct {
	// Dir is where the sockets live; on Windows it is appended to both pipe
	// names. Empty means the place that clients look at by default.
	Dir string
	// Group is the name or number of a group whose members may connect too.
	// Windows ignores it: there the descriptor of the pipe decides.
	Group string
	// MaxConns is how many clients are served at once, 64 when 0; others wait
	// to be accepted.
	MaxConns int
	// Refused, when set, is told of every client that was turned away. It is
	// called from Accept and must not block.
	Refused func(Peer)
	// Refusal is sent to a client that is turned away, after its first bytes
	// have come or a second has passed; empty for nothing.
	Refusal []byte

	// again is true when the place was found taken before, and it is known by
	// whom.
	again bool
}

// A Peer is who is at the other end of a connection, as the kernel recorded it
// when the client connected. PID, Program and User are for logs: the process
// may be gone by the time they are read, and its number taken by another.
type Peer struct {
	// PID is the client's process, 0 when it is not known (another PID
	// namespace, for example).
	PID int
	// UID and GID are the client's effective ids; -1 on Windows.
	UID, GID int
	// User is the account's name ("root", `CORP\alice`), or its number or SID
	// when it has none; empty when it is not known.
	User string
	// Program is the path of the client's executable, or empty.
	Program string
}

// String names the peer for a log line.
func (p Peer) String() string {
	if process := p.Process(); process != "" {
		return p.Account() + ", " + process
	}
	return p.Account()
}

// Account names the peer's user.
func (p Peer) Account() string {
	user := p.User
	if user == "" {
		user = "unknown user"
	}
	if p.UID >= 0 {
		user += fmt.Sprintf(" (uid %d)", p.UID)
	}
	return user
}

// Process names the peer's process; empty if nothing is known of it.
func (p Peer) Process() string {
	switch {
	case p.PID <= 0:
		return p.Program
	case p.Program == "":
		return fmt.Sprintf("pid %d", p.PID)
	}
	return fmt.Sprintf("pid %d, %s", p.PID, p.Program)
}

// CheckGroup says whether a group can be that of Config.Group. It is an error
// that there is none; on Windows there are none.
func CheckGroup(group string) error { return checkGroup(group) }

// PeerOf returns who is at the other end of a connection that a Listener
// accepted, and false for any other connection.
func PeerOf(c net.Conn) (Peer, bool) {
	conn, ok := c.(*Conn)
	if !ok {
		return Peer{}, false
	}
	return conn.peer, true
}
