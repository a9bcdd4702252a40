package ipc

import (
	"errors"
	"net"
	"sync"
	"time"
)

// retryEvery is how often a place that is taken is tried again.
const retryEvery = time.Second

// A Waiter is a listener at an endpoint whose place another process has. It
// takes the place as soon as it is free.
type Waiter struct {
	endpoint Endpoint
	cfg      Config
	told     func(error)

	mu      sync.Mutex
	ln      *Listener // nil until it has the place
	trouble string
	closing sync.Once
	closed  chan struct{}
}

// Await makes a listener where Listen said ErrInUse. told is called from
// Accept: with nil when the place has been taken, and with an error when it
// has become free and cannot be taken for another reason.
func Await(e Endpoint, cfg Config, told func(error)) *Waiter {
	cfg.again = true
	return &Waiter{endpoint: e, cfg: cfg, told: told, closed: make(chan struct{})}
}

// Accept waits for the place, then for the next client that may connect. After
// Close the error is net.ErrClosed.
func (w *Waiter) Accept() (net.Conn, error) {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		if ln := w.listener(); ln != nil {
			tick.Stop()
			return ln.Accept()
		}
		select {
		case <-w.closed:
			return nil, net.ErrClosed
		case <-tick.C:
		}
	}
}

// listener tries to take the place; it is nil while that cannot be had.
func (w *Waiter) listener() *Listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.closed:
		return nil
	default:
	}
	if w.ln != nil {
		return w.ln
	}
	ln, err := Listen(w.endpoint, w.cfg)
	switch {
	case err == nil:
		w.ln = ln
		w.told(nil)
	case !errors.Is(err, ErrInUse) && err.Error() != w.trouble:
		w.trouble = err.Error()
		w.told(err)
	}
	return w.ln
}

// Close stops waiting and accepting, and takes the endpoint away if it has it.
func (w *Waiter) Close() error {
	w.closing.Do(func() { close(w.closed) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln != nil {
		return w.ln.Close()
	}
	return nil
}

// Addr is the path of the socket or the name of the pipe.
func (w *Waiter) Addr() net.Addr {
	address, _ := Address(w.endpoint, w.cfg.Dir) // Listen has found it valid
	return endpointAddr(address)
}
