package ipc

import (
	"net"
	"sync"
)

// lobbySize is how many clients of a pipe may be connected and not accepted
// yet. Those beyond it are told ERROR_PIPE_BUSY and wait (WaitNamedPipe).
const lobbySize = 16

// A lobby lets the clients of a pipe in as they come. go-winio has an instance
// of the pipe listening only while Accept runs; in between the name is there,
// but opening it fails with ERROR_PIPE_BUSY, and not every client tries again.
// So the lobby accepts without a break, whatever the service is busy with, and
// nothing listens only for the moment that making the next instance takes.
type lobby struct {
	net.Listener
	arrivals chan net.Conn
	failures chan error
	closing  sync.Once
	closed   chan struct{}
	emptied  chan struct{}
}

func newLobby(ln net.Listener) *lobby {
	l := &lobby{
		Listener: ln,
		arrivals: make(chan net.Conn, lobbySize),
		failures: make(chan error), // so that a failure is not repeated before someone has heard of it
		closed:   make(chan struct{}),
		emptied:  make(chan struct{}),
	}
	go l.run()
	return l
}

// run accepts until the lobby is closed, then shows out who still waits.
func (l *lobby) run() {
	defer close(l.emptied)
	for l.admit() {
	}
	close(l.arrivals)
	for conn := range l.arrivals {
		_ = conn.Close()
	}
}

func (l *lobby) admit() (open bool) {
	conn, err := l.Listener.Accept()
	if err != nil {
		select {
		case l.failures <- passing{err}:
			return true
		case <-l.closed:
			return false
		}
	}
	select {
	case l.arrivals <- conn:
		return true
	case <-l.closed:
		_ = conn.Close()
		return false
	}
}

// Accept returns the next client. After Close the error is net.ErrClosed; any
// other error passes.
func (l *lobby) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case conn, open := <-l.arrivals:
		if !open {
			return nil, net.ErrClosed
		}
		return conn, nil
	case err := <-l.failures:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close removes the pipe. Clients that were not accepted are cut off.
func (l *lobby) Close() error {
	var err error
	l.closing.Do(func() {
		close(l.closed)
		err = l.Listener.Close()
		<-l.emptied
	})
	return err
}

// A passing error is that of an instance that could not be made, for lack of
// memory for example. net/http, which ends with any other, tries again.
type passing struct{ error }

func (passing) Timeout() bool   { return false }
func (passing) Temporary() bool { return true }

// Unwrap returns the error of the system.
func (p passing) Unwrap() error { return p.error }
