package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/persist"
)

// api is what the control endpoint asks of the daemon.
type api struct{ d *Daemon }

// Status implements control.Service.
func (a api) Status(context.Context) (control.Status, error) { return a.d.status(), nil }

// Settings implements control.Service.
func (a api) Settings(context.Context) (control.Settings, error) {
	now := a.d.inForce.Load()
	settings := control.DescribeSettings(now)
	for _, change := range a.d.needRestart(now) {
		i := slices.IndexFunc(settings.Settings, func(s control.Setting) bool { return s.Key == change.Key })
		settings.Settings[i].NeedsRestart = true
	}
	if wanted, refused := a.d.memoryRefused(now); refused {
		key := "ram-percent"
		if now.RAMSize != 0 {
			key = "ram-size"
		}
		setting, _ := settings.Find(key)
		settings.Problems = append(settings.Problems, control.SettingProblem{
			Key: key, Origin: setting.Origin, Where: setting.Where,
			Reason:  fmt.Sprintf("%s is allowed, %s of memory, and cannot be had; the log says why", key, wanted),
			Instead: fmt.Sprintf("it stays at %s", config.FormatBytes(a.d.budget())),
		})
	}
	return settings, nil
}

// Plan implements control.Service.
func (a api) Plan(_ context.Context, req control.PlanRequest) (control.Plan, error) {
	return a.d.plan(req)
}

// Dump implements control.Service.
func (a api) Dump(ctx context.Context, req control.DumpRequest, from ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	d := a.d
	r := dump.Request{PCAPNG: req.Format == control.PCAPNG, Limit: req.Limit}
	since := req.Since
	if req.Last != 0 {
		since = d.latest().Add(-req.Last)
	}
	r.Query = dump.QueryBetween(since, req.Until)
	if req.Filter != "" {
		var err error
		if r.Filter, err = dump.ParseFilter(req.Filter); err != nil {
			return control.DumpResult{}, control.FilterProblem(err)
		}
	}
	if req.Exclude != "" {
		var err error
		if r.Exclude, err = dump.ParseFilter(req.Exclude); err != nil {
			return control.DumpResult{}, &control.Problem{Status: http.StatusBadRequest, Message: "exclude: " + err.Error()}
		}
	}
	if req.Follow {
		var done func()
		r.End, done = either(ctx, req.End, d.stopping)
		defer done()
	}
	if since.IsZero() && req.Until.IsZero() && req.Filter == "" && !req.Follow {
		w.Estimate(d.dumper.Estimate(r))
	}
	restoring := d.restoring()
	result, err := d.dumper.Dump(ctx, r, w)
	if errors.Is(err, context.Canceled) {
		err = errors.New("the client went away")
	}
	if errors.Is(err, dump.ErrLimit) {
		return control.DumpResult{}, &control.Problem{Status: http.StatusBadRequest, Message: fmt.Sprintf("limit %d: %v", req.Limit, err)}
	}
	d.logDump(from, req.Filter, result, err)
	if err != nil {
		return control.DumpResult{}, err
	}
	out := control.DumpResult{Packets: result.Packets, EvictedPackets: result.Missing, Restoring: restoring, LimitReached: result.LimitReached}
	if result.Packets > 0 {
		out.First, out.Last = time.Unix(0, result.First), time.Unix(0, result.Last)
	}
	if result.LimitReached {
		out.Next = time.Unix(0, result.Next)
	}
	return out, nil
}

// either is closed when one of two is, ctx is done, or done is called.
func either(ctx context.Context, a, b <-chan struct{}) (closed <-chan struct{}, done func()) {
	ctx, done = context.WithCancel(ctx)
	go func() {
		defer done()
		select {
		case <-a:
		case <-b:
		case <-ctx.Done():
		}
	}()
	return ctx.Done(), done
}

// Unwrap implements control.Service.
func (a api) Unwrap(_ context.Context, header []byte, from ipc.Peer) ([]byte, error) {
	if a.d.keeper == nil {
		return nil, noKey("this service keeps nothing over a restart: " + a.d.notKept())
	}
	key, identity, err := a.d.keeper.Unwrap(header)
	if errors.Is(err, persist.ErrNoKey) {
		return nil, noKey(err.Error())
	}
	if err == nil {
		eventlog.FileKeyGiven(from.Account(), from.Process(), identity).Log(a.d.log)
	}
	return key, err
}

func noKey(why string) *control.Problem {
	return &control.Problem{Status: http.StatusNotFound, Message: why, Hint: "A recovery key opens it, if one was set when it was sealed."}
}

// Clear implements control.Service.
func (a api) Clear(_ context.Context, from ipc.Peer) (control.Cleared, error) {
	return a.d.clear(from.Account(), from.Process())
}

// latest is the moment that "the last 30 minutes" count back from: now, or in
// a replay the newest packet.
func (d *Daemon) latest() time.Time {
	if d.replays != nil {
		if s := d.cache.Stats(); s.Newest != 0 {
			return time.Unix(0, s.Newest)
		}
	}
	return time.Now()
}
