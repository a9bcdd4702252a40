package ipc

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// maxRefusals is how many turned-away clients are told so at once; beyond it
// their connection is just closed.
const maxRefusals = 8

// refusalPatience is how long a client that is turned away may take.
const refusalPatience = time.Second

// A transport is what a platform contributes to a Listener.
type transport struct {
	net.Listener
	// identify tells who connected and whether it may.
	identify func(net.Conn) (peer Peer, allowed bool, err error)
	// release gives the place back after the listener was closed.
	release func() error
}

// A Listener accepts clients at one endpoint and turns away those that may not
// connect. It is safe for use by several goroutines.
type Listener struct {
	t        transport
	addr     net.Addr
	cfg      Config
	slots    chan struct{}
	refusals chan struct{}
	closing  sync.Once
	closed   chan struct{}
	closeErr error
}

// Listen opens an endpoint. On Linux it creates the directory when it is
// missing (mode 0755) and replaces a socket that a crash left behind; the
// socket has mode 0600, or 0660 with a group. It never follows or removes
// anything there that is not a socket.
//
// The error is ErrInUse when another process serves the endpoint, ErrPermission
// when this one may not create it.
func Listen(e Endpoint, cfg Config) (*Listener, error) {
	address, err := Address(e, cfg.Dir)
	if err != nil {
		return nil, err
	}
	t, err := listen(address, cfg)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if cfg.MaxConns <= 0 {
		cfg.MaxConns = maxConns
	}
	return &Listener{
		t:        t,
		addr:     endpointAddr(address),
		cfg:      cfg,
		slots:    make(chan struct{}, cfg.MaxConns),
		refusals: make(chan struct{}, maxRefusals),
		closed:   make(chan struct{}),
	}, nil
}

// Accept waits for the next client that may connect. The connection is a
// *Conn; PeerOf tells who it is. After Close the error is net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
		raw, err := l.t.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		peer, allowed, err := l.t.identify(raw)
		if err == nil && allowed {
			return &Conn{Conn: raw, peer: peer, release: func() { <-l.slots }}, nil
		}
		<-l.slots
		if err != nil {
			// Whoever it was has gone, or the kernel would not tell: both are
			// reasons not to serve.
			peer = Peer{UID: -1, GID: -1}
		}
		l.refuse(raw, peer)
	}
}

func (l *Listener) refuse(raw net.Conn, peer Peer) {
	if l.cfg.Refused != nil {
		l.cfg.Refused(peer)
	}
	select {
	case l.refusals <- struct{}{}:
	default:
		_ = raw.Close()
		return
	}
	go func() {
		defer func() { <-l.refusals }()
		defer raw.Close()
		if len(l.cfg.Refusal) == 0 {
			return
		}
		_ = raw.SetDeadline(time.Now().Add(refusalPatience))
		// A client that is still sending when the connection closes sees a
		// reset instead of the answer, so its request is taken first.
		_, _ = raw.Read(make([]byte, 16<<10))
		_, _ = raw.Write(l.cfg.Refusal)
	}()
}

// Close stops accepting and takes the endpoint away. Connections that were
// accepted stay open.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		l.closeErr = l.t.Close()
		if err := l.t.release(); l.closeErr == nil {
			l.closeErr = err
		}
	})
	return l.closeErr
}

// Addr is the path of the socket or the name of the pipe.
func (l *Listener) Addr() net.Addr { return l.addr }

type endpointAddr string

func (endpointAddr) Network() string  { return "local" }
func (a endpointAddr) String() string { return string(a) }

// A Conn is an accepted connection whose other end is known.
type Conn struct {
	net.Conn
	peer    Peer
	closing sync.Once
	release func()
}

// Peer is who connected.
func (c *Conn) Peer() Peer { return c.peer }

// Gone reports whether the client has closed the connection, once a read has met
// its end: a socket can also be closed for what the client sends only, and it
// goes on reading.
func (c *Conn) Gone() bool { return hungUp(c.Conn) }

// Close closes the connection and makes room for another.
func (c *Conn) Close() error {
	err := c.Conn.Close()
	c.closing.Do(c.release)
	return err
}

// CloseWrite tells the client that all has been sent, while it may still send
// itself. Closing a socket at once, with something unread in it, makes the
// client see a reset at the end instead of an end. A named pipe in byte mode
// cannot be closed one way and does not need it: there it does nothing.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
