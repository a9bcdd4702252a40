package service

import (
	"errors"
	"fmt"
	"time"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows/svc"

	"github.com/packetcache/packetcache/eventlog"
)

const (
	// tick is how often the service control manager gets a sign of life while
	// the service starts or stops, waitHint how long it may wait for the next.
	tick     = time.Second
	waitHint = 5 * time.Second
	// accepted are the controls that a running service takes. Preshutdown
	// comes before other services go, and brings more time than shutdown.
	accepted = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptPreShutdown
)

// stops are the controls that stop the service, in words, and how long it may
// take.
var stops = map[svc.Cmd]struct {
	why   string
	limit time.Duration
}{
	svc.Stop:        {"stop", stopLimit},
	svc.PreShutdown: {"the machine is about to shut down", stopLimit},
	svc.Shutdown:    {"the machine shuts down", hurryLimit},
}

// A handler is what the service control manager talks to. The service of
// kardianos/service, which is a handler itself, starts and stops the daemon;
// around it this one takes preshutdown as well, gives signs of life, keeps to
// deadlines, ends when the daemon ends by itself, and tells exit codes apart.
type handler struct {
	config Config
	inner  svc.Handler
	work   *work // from the moment the daemon was started
	run    RunFunc
	// atWork, if not nil, is called once the service is running, with the name
	// that it is registered under.
	atWork func(name string)
	err    error
}

func newHandler(c Config, run RunFunc) (*handler, error) {
	h := &handler{config: c, run: run}
	h.atWork = func(name string) {
		settle(name, c.Log)
		reportWriters(c.Log)
	}
	service, err := kardianos.New(program{h}, &kardianos.Config{Name: c.Name})
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", c.Name, err)
	}
	inner, ok := service.(svc.Handler)
	if !ok {
		return nil, fmt.Errorf("service %s: a %T does not handle requests of the service control manager", c.Name, service)
	}
	h.inner = inner
	return h, nil
}

// A program is the daemon as kardianos/service wants it.
type program struct{ h *handler }

// Start waits until the daemon is ready or has failed.
func (p program) Start(kardianos.Service) error {
	select {
	case <-p.h.work.ready:
		return nil
	case <-p.h.work.done:
		return p.h.work.outcome()
	}
}

// Stop waits until the daemon, which was told to stop, has returned.
func (p program) Stop(kardianos.Service) error { return p.h.work.outcome() }

// Execute implements svc.Handler.
func (h *handler) Execute(args []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (bool, uint32) {
	h.work = begin(h.run)
	inner := h.converse(args)
	status := svc.Status{State: svc.StartPending, WaitHint: uint32(waitHint.Milliseconds())}
	changes <- status
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	stopping := func() {
		if status.State != svc.StopPending {
			status = svc.Status{State: svc.StopPending, WaitHint: uint32(waitHint.Milliseconds())}
			changes <- status
		}
		inner.stop()
	}
	done := h.work.done
	for {
		select {
		case <-inner.running:
			inner.running = nil // a nil channel is never ready
			h.work.started()
			if status.State == svc.StartPending {
				status = svc.Status{State: svc.Running, Accepts: accepted}
				changes <- status
				if h.atWork != nil {
					go h.atWork(registered(args, h.config.Name))
				}
			}
		case request := <-requests:
			if request.Cmd == svc.Interrogate {
				changes <- status
			} else if stop, ok := stops[request.Cmd]; ok {
				h.work.end(stop.why, stop.limit)
				stopping()
			}
		case <-done:
			done = nil
			stopping()
		case <-ticks.C:
			if status.State != svc.Running {
				status.CheckPoint++
				changes <- status
			}
		case <-h.work.watchdog.C:
			code := ExitNotReady
			if h.work.told() {
				code = ExitHung
			}
			h.err = h.work.hung(h.config)
			return h.exit(code)
		case <-inner.returned:
			if h.err = h.work.outcome(); h.err != nil {
				return h.exit(h.config.ExitCode(h.err))
			}
			return h.exit(ExitOK)
		}
	}
}

// exit is what Execute returns for an exit code. A service has nobody who
// reads what its process prints at the end, so the log is told.
func (h *handler) exit(code ExitCode) (bool, uint32) {
	switch {
	case h.err == nil, errors.Is(h.err, ErrHung): // which the log knows already
	case h.ready():
		eventlog.ServiceFailed(h.err).Log(h.config.Log)
	default:
		eventlog.NotStarted(fmt.Sprintf("exit code %d", code), h.err).Log(h.config.Log)
	}
	return code != ExitOK, uint32(code)
}

// ready reports whether the daemon has ever been ready.
func (h *handler) ready() bool {
	select {
	case <-h.work.ready:
		return true
	default:
		return false
	}
}

// registered is the name under which the service control manager started the
// service, which is the first of its arguments.
func registered(args []string, otherwise string) string {
	if len(args) > 0 && args[0] != "" {
		return args[0]
	}
	return otherwise
}

// A conversation is the inner handler at work, with this one in the part of
// the service control manager.
type conversation struct {
	requests chan svc.ChangeRequest
	running  chan struct{} // closed when it says that it runs
	returned chan struct{} // closed when it has returned
}

func (h *handler) converse(args []string) *conversation {
	// It takes one request, the stop, and says three things, so that neither
	// side waits for the other.
	c := &conversation{
		requests: make(chan svc.ChangeRequest, 1),
		running:  make(chan struct{}),
		returned: make(chan struct{}),
	}
	changes := make(chan svc.Status)
	running := c.running
	go func() {
		for status := range changes {
			if status.State == svc.Running {
				close(running)
			}
		}
	}()
	go func() {
		defer close(c.returned)
		defer close(changes)
		h.inner.Execute(args, c.requests, changes)
	}()
	return c
}

// stop asks the inner handler to stop; a second call does nothing.
func (c *conversation) stop() {
	select {
	case c.requests <- svc.ChangeRequest{Cmd: svc.Stop}:
	default:
	}
}
