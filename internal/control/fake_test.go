package control

import (
	"bytes"
	"context"
	"log"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

// A fakeService answers with what a test puts in.
type fakeService struct {
	status   func(context.Context) (Status, error)
	settings func(context.Context) (Settings, error)
	plan     func(context.Context, PlanRequest) (Plan, error)
	dump     func(context.Context, DumpRequest, ipc.Peer, DumpWriter) (DumpResult, error)
	unwrap   func(context.Context, []byte, ipc.Peer) ([]byte, error)
	clear    func(context.Context, ipc.Peer) (Cleared, error)
}

func (f *fakeService) Status(ctx context.Context) (Status, error) {
	if f.status == nil {
		return Status{State: StateIdle}, nil
	}
	return f.status(ctx)
}

func (f *fakeService) Settings(ctx context.Context) (Settings, error) {
	if f.settings == nil {
		return Settings{}, nil
	}
	return f.settings(ctx)
}

func (f *fakeService) Plan(ctx context.Context, req PlanRequest) (Plan, error) {
	if f.plan == nil {
		return Plan{Budgets: make([]PlannedBudget, 1)}, nil
	}
	return f.plan(ctx, req)
}

func (f *fakeService) Dump(ctx context.Context, req DumpRequest, from ipc.Peer, w DumpWriter) (DumpResult, error) {
	return f.dump(ctx, req, from, w)
}

func (f *fakeService) Unwrap(ctx context.Context, header []byte, from ipc.Peer) ([]byte, error) {
	if f.unwrap == nil {
		return nil, &Problem{Status: 404, Message: "no such key"}
	}
	return f.unwrap(ctx, header, from)
}

func (f *fakeService) Clear(ctx context.Context, from ipc.Peer) (Cleared, error) {
	if f.clear == nil {
		return Cleared{}, nil
	}
	return f.clear(ctx, from)
}

// A syncBuffer is a log that a test reads while a server writes it.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// serve runs a server for the length of a test and returns where it is.
func serve(t testing.TB, service Service, adjust ...func(*Server)) (dir string, errors *syncBuffer) {
	t.Helper()
	dir = endpointDir(t)
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir, Refusal: Refusal(), MaxConns: MaxConns})
	if err != nil {
		t.Fatal(err)
	}
	errors = &syncBuffer{}
	s := NewServer(service, log.New(errors, "", 0))
	for _, f := range adjust {
		f(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return dir, errors
}

func client(t testing.TB, dir string) *Client {
	t.Helper()
	c := NewClient(dir)
	t.Cleanup(c.Close)
	return c
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
