package control

import (
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// MaxConns is how many connections the endpoint is to take at once.
	MaxConns = 128
	// maxIdle is how many of them may wait for a request, and maxDumps be busy
	// with a dump: those must not keep out who asks for the status.
	maxIdle  = 32
	maxDumps = 64
	// sureIdle is how long a connection is left alone, since its request may be
	// on the way.
	sureIdle = time.Second
)

// idlers are the connections without a request, the one that has been so for
// longest first.
type idlers struct {
	mu   sync.Mutex
	list []idler
}

type idler struct {
	conn  net.Conn
	since time.Time
}

// follow is called when a connection changes its state. With one too many that
// waits, the first is closed; a client that is alive asks again on a new one.
func (i *idlers) follow(c net.Conn, state http.ConnState) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = slices.DeleteFunc(i.list, func(other idler) bool { return other.conn == c })
	if state != http.StateNew && state != http.StateIdle {
		return
	}
	now := time.Now()
	i.list = append(i.list, idler{c, now})
	for len(i.list) > maxIdle && now.Sub(i.list[0].since) >= sureIdle {
		_ = i.list[0].conn.Close()
		i.list = i.list[1:]
	}
}
