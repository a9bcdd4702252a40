// Package daemon puts the parts together: sources feed the cache, and the two
// endpoints let administrators read it.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/mem"
	"github.com/packetcache/packetcache/internal/persist"
	"github.com/packetcache/packetcache/internal/version"
)

const (
	// ringShare of the budget, at most, is for capture rings.
	ringShare = 8
	// stopPatience is how long clients under way get when the service stops. An
	// ordinary shutdown of a machine leaves about 5 s for all.
	stopPatience = 3 * time.Second
	// collectAt makes the garbage collector keep the little heap there is
	// little: the packets are not in it.
	collectAt = 10
)

// Options say what a Daemon does.
type Options struct {
	// Loaded are the settings to start with, Loader reads them anew when one
	// of its sources has changed.
	Loader *config.Loader
	Loaded *config.Loaded
	// Replay names capture files to read instead of live interfaces.
	Replay []string
	Log    *logrus.Logger
	// Foreground, if not nil, is told in words what is going on and what to
	// type next. Without it this is the service: it starts also when another
	// process has the place of an endpoint, and waits for that.
	Foreground io.Writer
	// StopBy, if not nil, tells by when Run is to have returned once its
	// context is done.
	StopBy func(context.Context) time.Time
}

// A Daemon is the service at work.
type Daemon struct {
	o        Options
	log      *logrus.Logger
	cache    *cache.Cache
	dumper   *dump.Dumper
	keeper   *persist.Keeper // nil: nothing is kept over a restart
	told     atomic.Int64    // when it was told to stop, in ns since the Unix epoch
	loop     *capture.Loop   // nil in a replay
	replays  *replays        // nil when live
	taken    taken
	coverage coverage
	drops    map[string]uint64 // by interface, not yet told; for captureEvent
	started  time.Time
	stopping chan struct{} // closed when no more packets come
	since    time.Time     // of state
	host     string
	// inForce are the settings that the service runs with. They are replaced,
	// never changed.
	inForce atomic.Pointer[config.Loaded]
	granted atomic.Uint64 // bytes of memory

	mu    sync.Mutex
	state control.State
}

// Run works until ctx is done. It calls ready when both endpoints answer and
// packets are captured, or an interface takes longer than settlePatience to open.
// An error means that it could not start, and is a *StartError.
func Run(ctx context.Context, o Options, ready func()) error {
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	d, err := newDaemon(o)
	if err != nil {
		return err
	}
	defer d.replays.close()
	defer d.release(ctx)
	return d.run(ctx, ready)
}

func newDaemon(o Options) (*Daemon, error) {
	d := &Daemon{o: o, log: o.Log, started: time.Now(), since: time.Now(), stopping: make(chan struct{}), state: control.StateStarting, drops: map[string]uint64{}}
	if host, err := os.Hostname(); err == nil {
		d.host = host
	}
	d.inForce.Store(o.Loaded)
	settings, budget := d.settings(), config.Budget(d.settings(), o.Loader.TotalRAM)
	d.granted.Store(budget)
	var platform capture.Platform
	var err error
	if len(o.Replay) > 0 {
		d.replays, err = openReplays(o.Replay)
		err = failedAt(StepReplay, err)
	} else {
		platform, err = livePlatform()
		err = failedAt(StepCapture, err)
	}
	if err != nil {
		return nil, err
	}
	d.cache, err = cache.New(cache.Options{
		Bytes:    int(budget) - d.rings(budget),
		Most:     int(config.Largest(o.Loader.TotalRAM)),
		Bias:     settings.Bias,
		Compress: true,
		Damaged:  func(err error) { eventlog.PacketsDamaged(err).Log(d.log) },
		Unlocked: func(err error) { eventlog.MemoryNotLocked(err).Log(d.log) },
	})
	if err != nil {
		d.replays.close()
		return nil, failedAt(StepMemory, fmt.Errorf("making the cache of %s: %w", config.FormatBytes(budget), err))
	}
	d.setRules(settings)
	d.dumper = dump.New(d.cache, d)
	d.keeper = d.newKeeper()
	if d.replays == nil {
		cfg, err := d.captureConfig(d.inForce.Load(), budget)
		if err != nil {
			return nil, failedAt(StepFilter, errors.Join(err, d.cache.Close()))
		}
		d.loop = capture.NewLoop(platform, liveSink{d.cache}, cfg, d.captureEvent)
	}
	return d, nil
}

// stopPatience is how long clients may go on once ctx is done: no more than
// half of the time that is left.
func (d *Daemon) stopPatience(ctx context.Context) time.Duration {
	if d.o.StopBy == nil {
		return stopPatience
	}
	return min(stopPatience, time.Until(d.o.StopBy(ctx))/2)
}

// run opens the endpoints first, so that a second service is refused before
// it captures anything.
func (d *Daemon) run(ctx context.Context, ready func()) error {
	dumps, err := d.open(ipc.Dump)
	if err != nil {
		return failedAt(StepDump, err)
	}
	defer func() { _ = dumps.Close() }()
	controls, err := d.open(ipc.Control)
	if err != nil {
		return failedAt(StepControl, err)
	}
	defer func() { _ = controls.Close() }()
	d.coverage.add(control.CoverageEntry{Time: d.started, Kind: "start", Text: "PacketCache " + version.String() + " started"})
	d.coverRules()

	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var parts sync.WaitGroup
	parts.Go(func() { d.dumper.Serve(inner, dumps, d.served) })
	server := control.NewServer(api{d}, stdlog.New(requestErrors{d.log}, "", 0))
	parts.Go(func() { d.serveControl(server, controls) })
	parts.Go(func() { d.watchClock(ctx) })
	parts.Go(func() { d.watchSettings(ctx) })

	d.reportStart()
	captured, kept := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(captured)
		d.capture(ctx)
	}()
	go func() {
		defer close(kept)
		d.keep(ctx, captured)
	}()
	if d.o.Foreground != nil {
		d.greet(d.o.Foreground, dumps.Addr())
	}
	d.awaitCapture(ctx)
	ready()
	mem.DropProgram()

	<-ctx.Done()
	d.become(control.StateStopping)
	<-captured
	close(d.stopping)
	patience, end := context.WithTimeout(context.WithoutCancel(ctx), d.stopPatience(ctx))
	defer end()
	defer context.AfterFunc(patience, cancel)()
	_ = dumps.Close() // no more clients there; those under way go on
	if err := server.Shutdown(patience); err != nil {
		eventlog.ClientsCutOff(err).Log(d.log)
	}
	parts.Wait()
	<-kept
	d.farewell()
	return nil
}

// settlePatience is for how long a start waits for interfaces that do not open. What is
// there is captured meanwhile.
const settlePatience = 5 * time.Second

// awaitCapture waits until the interfaces that are there are captured.
func (d *Daemon) awaitCapture(ctx context.Context) {
	if d.loop == nil {
		return
	}
	select {
	case <-d.loop.Settled():
	case <-time.After(settlePatience):
	case <-ctx.Done():
	}
}

// settled reports whether it is known of each interface that was there at the start
// whether it is captured.
func (d *Daemon) settled() bool {
	select {
	case <-d.loop.Settled():
		return true
	default:
		return false
	}
}

// capture feeds the cache until ctx is done.
func (d *Daemon) capture(ctx context.Context) {
	if d.replays != nil {
		d.become(control.StateReplaying)
		d.replays.run(ctx, replaySink{d.cache}, d)
		debug.FreeOSMemory() // the buffers were for this only
		mem.DropProgram()
		d.become(control.StateIdle)
		<-ctx.Done()
		return
	}
	d.become(control.StateIdle)
	d.loop.Run(ctx)
}

func (d *Daemon) serveControl(server *control.Server, ln net.Listener) {
	if err := server.Serve(ln); err != nil {
		eventlog.EndpointFailed(ipc.Control.String(), err).Log(d.log)
	}
}

// become changes the state unless the service is stopping.
func (d *Daemon) become(s control.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != s && d.state != control.StateStopping {
		d.state, d.since = s, time.Now()
	}
}

// inState is the state, and since when. A service that captures from nothing
// is idle.
func (d *Daemon) inState(interfaces []capture.Status) (control.State, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == control.StateIdle || d.state == control.StateCapturing {
		now := control.StateIdle
		if slices.ContainsFunc(interfaces, func(s capture.Status) bool { return s.State == capture.StateCapturing }) {
			now = control.StateCapturing
		}
		if now != d.state {
			d.state, d.since = now, time.Now()
		}
	}
	return d.state, d.since
}
