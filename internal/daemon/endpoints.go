package daemon

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// open listens at an endpoint. In the foreground a place that is taken is for
// the user to decide on. The service cannot ask, and should rather record what
// nobody can read for now than nothing: any program may take the name of a
// pipe before the service starts.
func (d *Daemon) open(e ipc.Endpoint) (net.Listener, error) {
	cfg := ipc.Config{
		Dir:     d.settings().EndpointDir,
		Group:   d.settings().SocketGroup,
		Refused: d.refused,
	}
	if e == ipc.Control {
		cfg.Refusal, cfg.MaxConns = control.Refusal(), control.MaxConns
	}
	ln, err := ipc.Listen(e, cfg)
	switch {
	case err == nil:
		return ln, nil
	case d.o.Foreground == nil && errors.Is(err, ipc.ErrInUse):
		d.waiting(e, err)
		return ipc.Await(e, cfg, func(err error) { d.waiting(e, err) }), nil
	}
	return nil, fmt.Errorf("opening the %s: %w", e, err)
}

// waiting notes why an endpoint cannot be opened; nil: it has been.
func (d *Daemon) waiting(e ipc.Endpoint, err error) {
	d.taken.set(e, err)
	if err != nil {
		eventlog.EndpointTaken(e.String(), err).Log(d.log)
	} else {
		eventlog.EndpointRecovered(e.String()).Log(d.log)
	}
}

// taken holds why endpoints could not be opened.
type taken struct {
	mu      sync.Mutex
	reasons [2]error // by ipc.Endpoint
}

func (t *taken) set(e ipc.Endpoint, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reasons[e] = err
}

func (t *taken) warnings() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for e, err := range t.reasons {
		if err != nil {
			list = append(list, fmt.Sprintf("The %s cannot be opened: %v. It is tried again every second.", ipc.Endpoint(e), err))
		}
	}
	return list
}
