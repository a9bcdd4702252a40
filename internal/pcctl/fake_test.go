package pcctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// A fakeService answers with a given status. What a dump does follows from the
// filter it is asked for; its content names the request.
type fakeService struct {
	// mu guards what a script changes while the service answers: the client
	// between the two is another process.
	mu     sync.Mutex
	status control.Status
	plan   control.Plan
	// sources are where it has its settings from. It reads them anew for each
	// answer, unless it has frozen ones. restart is one that needs a restart.
	sources []config.Source
	frozen  *config.Loaded
	restart string
	// key opens sealed files; asksOnce, if set, is called when it is asked for first.
	key      age.Identity
	asksOnce func()
	// fail, when set, is the answer to everything.
	fail error
	// asked counts status requests, stalled the dumps that wait for their
	// client to go.
	asked, stalled atomic.Int64
	// stop ends dumps that follow, as a service that stops does.
	stop chan struct{}
}

func (f *fakeService) Status(context.Context) (control.Status, error) {
	f.asked.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status, f.fail
}

// Plan answers with the given budgets, in turn, as far as the service of a machine
// of 16 GiB takes those that are asked for.
func (f *fakeService) Plan(_ context.Context, req control.PlanRequest) (control.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan := f.plan
	plan.Budgets = nil
	loader := config.Loader{TotalRAM: 16 << 30}
	for i, ram := range req.RAM {
		bytes, err := loader.BudgetOf(ram)
		if err != nil {
			return plan, control.BadRAM(err)
		}
		b := control.PlannedBudget{RAM: ram, BudgetBytes: int64(bytes)}
		if len(f.plan.Budgets) > 0 {
			b.Horizons = f.plan.Budgets[i%len(f.plan.Budgets)].Horizons
		}
		plan.Budgets = append(plan.Budgets, b)
	}
	return plan, f.fail
}

func (f *fakeService) Settings(context.Context) (control.Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.frozen != nil {
		return control.DescribeSettings(f.frozen), f.fail
	}
	s := control.DescribeSettings((&config.Loader{Sources: f.sources}).Load(nil))
	for i := range s.Settings {
		s.Settings[i].NeedsRestart = s.Settings[i].Key == f.restart
	}
	return s, f.fail
}

func (f *fakeService) Dump(ctx context.Context, req control.DumpRequest, _ ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	f.mu.Lock()
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		return control.DumpResult{}, fail
	}
	first := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	result := control.DumpResult{Packets: 1234, First: first, Last: first.Add(90 * time.Minute)}
	w.Estimate(1 << 20)
	if _, err := fmt.Fprintf(w, "format=%s since=%s until=%s last=%s filter=%q limit=%d sha256=%t\n",
		req.Format, req.Since.Format(time.RFC3339), req.Until.Format(time.RFC3339), req.Last, req.Filter, req.Limit, req.SHA256); err != nil {
		return result, err
	}
	if req.Follow {
		if _, err := fmt.Fprintf(w, "follow exclude=%q\n", req.Exclude); err != nil {
			return result, err
		}
		f.stalled.Add(1)
		select {
		case <-req.End:
		case <-f.stop:
		case <-ctx.Done():
			return result, ctx.Err()
		}
		_, err := fmt.Fprintln(w, "end")
		return result, err
	}
	switch req.Filter {
	case "tcp and bad":
		return result, errors.New("a bad filter must be found before the first write")
	case "cut":
		return result, errors.New("cut")
	case "stall":
		f.stalled.Add(1)
		<-ctx.Done()
		return result, ctx.Err()
	case "nothing":
		result = control.DumpResult{}
	case "much":
		_, err := w.Write(bytes.Repeat([]byte("much "), 1<<20))
		result.LimitReached, result.EvictedPackets, result.Next = true, 1, result.Last.Add(1500*time.Nanosecond)
		return result, err
	}
	return result, nil
}

// Unwrap opens what is sealed to the key that a script gave it.
func (f *fakeService) Unwrap(_ context.Context, header []byte, _ ipc.Peer) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.key == nil {
		return nil, &control.Problem{Status: 404, Message: "the key is not here"}
	}
	if f.asksOnce != nil {
		f.asksOnce()
		f.asksOnce = nil
	}
	key, err := age.DecryptHeader(header, f.key)
	if err != nil {
		return nil, &control.Problem{Status: 404, Message: "the key is not here"}
	}
	return key, f.fail
}

// Clear wipes what the status says that there is.
func (f *fakeService) Clear(context.Context, ipc.Peer) (control.Cleared, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := control.Count{
		Packets: f.status.Totals.Stored.Packets - f.status.Totals.Evicted.Packets,
		Bytes:   f.status.Totals.Stored.Bytes - f.status.Totals.Evicted.Bytes,
	}
	f.status.Totals = control.Totals{}
	cleared := control.Cleared{Packets: held.Packets, Bytes: held.Bytes}
	if dir := f.status.Persistence.Directory; dir != "" {
		cleared.Files = append(cleared.Files, dir+"/PacketCache.sealed")
	}
	return cleared, f.fail
}

// badFilters looks at the filter before anything is written, as the service
// does.
type badFilters struct{ *fakeService }

func (b badFilters) Dump(ctx context.Context, req control.DumpRequest, from ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	if req.Filter == "tcp and bad" {
		return control.DumpResult{}, control.BadFilter(`unknown word "bad"`, 8)
	}
	return b.fakeService.Dump(ctx, req, from, w)
}

// serve runs the fake at an endpoint until stop is called.
func (f *fakeService) serve(dir string) (stop func(), err error) {
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir, Refusal: control.Refusal()})
	if err != nil {
		return nil, err
	}
	s := control.NewServer(badFilters{f}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(ln)
	}()
	return func() {
		_ = s.Close()
		<-done
	}, nil
}

// A capturing service notes what dump it was asked for.
type capturing struct {
	fakeService
	got *control.DumpRequest
}

func (c *capturing) Dump(_ context.Context, req control.DumpRequest, _ ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	*c.got = req
	_, err := w.Write([]byte("x"))
	return control.DumpResult{}, err
}

// startService runs a service for the length of a test.
func startService(t *testing.T, service control.Service) (dir string) {
	t.Helper()
	dir = fakeEndpoint(t)
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir, Refusal: control.Refusal()})
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(service, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return dir
}

// start runs a fake for the length of a test.
func start(t *testing.T, f *fakeService) (dir string) {
	t.Helper()
	dir = fakeEndpoint(t)
	stop, err := f.serve(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return dir
}
