// Package capturetest holds the contract that every capture.Source keeps, as a
// test suite that each implementation runs, and helpers for such tests.
package capturetest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/capture"
)

// A Subject is a Source that is ready to Run, and what is known of it.
type Subject struct {
	// Source is the implementation under test.
	Source capture.Source
	// Packets is how many packets the sink is to get: those of the file, or
	// those that Feed brings about. At least 1.
	Packets int
	// Feed brings about the packets of a live source; it is called once the
	// source has announced its interface. It is nil for a file, whose Run ends
	// by itself.
	Feed func(t *testing.T)
	// Contents, if not nil, are the packets' bytes in order.
	Contents [][]byte
}

// patience is how long something may take that should happen at once.
const patience = 10 * time.Second

// TestSource runs the contract against subjects that open makes, one for each
// part. What open acquires it releases with t.Cleanup; the Source releases
// itself when it has Run.
func TestSource(t *testing.T, open func(t *testing.T) Subject) {
	t.Run("delivers", func(t *testing.T) { delivers(t, open(t)) })
	t.Run("ends with its context", func(t *testing.T) { endsWithContext(t, open(t)) })
	t.Run("ends before it began", func(t *testing.T) { endsBeforeItBegan(t, open(t)) })
	t.Run("stops when it cannot be announced", func(t *testing.T) { stopsUnannounced(t, open(t)) })
	t.Run("leaves nothing running", func(t *testing.T) { leavesNothing(t, open) })
}

// start runs the source and returns how to await its end.
func start(ctx context.Context, s capture.Source, sink capture.Sink) (ended chan error) {
	ended = make(chan error, 1)
	go func() { ended <- s.Run(ctx, sink) }()
	return ended
}

// await fails the test unless Run returns want within the given time.
func await(t *testing.T, ended chan error, within time.Duration, want error) {
	t.Helper()
	select {
	case err := <-ended:
		if !errors.Is(err, want) {
			t.Errorf("Run returned %v, want %v", err, want)
		}
	case <-time.After(within):
		t.Fatalf("Run has not returned after %v", within)
	}
}

// delivers checks that all packets come, announced, well-formed and counted.
func delivers(t *testing.T, s Subject) {
	began, sink := time.Now(), NewSink()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	watched := watchCounters(s.Source)
	ended := start(ctx, s.Source, sink)
	if s.Feed != nil {
		sink.AwaitInterface(t)
		s.Feed(t)
		sink.Await(t, s.Packets)
		stop()
		await(t, ended, time.Second, nil)
	} else {
		await(t, ended, patience, nil)
	}
	watched.stop(t)

	got := sink.Got()
	if len(got) != s.Packets {
		t.Errorf("%d packets came, want %d", len(got), s.Packets)
	}
	if c := s.Source.Counters(); c.Received != uint64(len(got)) {
		t.Errorf("Received is %d, and %d packets came", c.Received, len(got))
	}
	for _, complaint := range sink.Complaints() {
		t.Error(complaint)
	}
	for i, p := range got {
		if s.Contents != nil && i < len(s.Contents) && !bytes.Equal(p.Data, s.Contents[i]) {
			t.Errorf("packet %d is\n%x, want\n%x", i, p.Data, s.Contents[i])
		}
		if s.Feed != nil {
			if at := time.Unix(0, p.Time); at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
				t.Errorf("packet %d has the time %v, and it is %v", i, at, time.Now())
			}
		}
	}
}

// endsWithContext checks that Run ends soon while nothing or something comes.
func endsWithContext(t *testing.T, s Subject) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sink := NewSink()
	ended := start(ctx, s.Source, sink)
	sink.AwaitInterface(t)
	if s.Feed != nil {
		s.Feed(t)
	}
	stop()
	await(t, ended, time.Second, nil)
	before := len(sink.Got())
	runtime.Gosched()
	if after := len(sink.Got()); after != before {
		t.Errorf("%d packets came after Run had returned", after-before)
	}
}

// endsBeforeItBegan checks Run under a context that is done already.
func endsBeforeItBegan(t *testing.T, s Subject) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	await(t, start(ctx, s.Source, NewSink()), time.Second, nil)
	s.Source.Counters() // must still be allowed
}

// errFull is what a sink with too many interfaces says.
var errFull = errors.New("too many interfaces")

// stopsUnannounced checks that the sink's refusal ends Run and comes out of it.
func stopsUnannounced(t *testing.T, s Subject) {
	sink := NewSink()
	sink.Refuse(errFull)
	await(t, start(t.Context(), s.Source, sink), patience, errFull)
	if n := len(sink.Got()); n > 0 {
		t.Errorf("%d packets came from an interface that was refused", n)
	}
}

// leavesNothing checks that a source that has Run leaves no goroutine behind.
func leavesNothing(t *testing.T, open func(*testing.T) Subject) {
	before := runtime.NumGoroutine()
	for range 3 {
		s := open(t)
		ctx, stop := context.WithCancel(t.Context())
		sink := NewSink()
		ended := start(ctx, s.Source, sink)
		sink.AwaitInterface(t)
		stop()
		await(t, ended, time.Second, nil)
	}
	Eventually(t, patience, "as many goroutines as before", func() bool {
		return runtime.NumGoroutine() <= before
	})
}

// A counterWatch reads a source's counters all the time that it runs.
type counterWatch struct {
	quit chan struct{}
	seen chan []capture.Counters
}

func watchCounters(s capture.Source) counterWatch {
	w := counterWatch{make(chan struct{}), make(chan []capture.Counters, 1)}
	go func() {
		seen := []capture.Counters{s.Counters()}
		for {
			select {
			case <-w.quit:
				w.seen <- append(seen, s.Counters())
				return
			case <-time.After(time.Millisecond):
				if c := s.Counters(); c != seen[len(seen)-1] {
					seen = append(seen, c)
				}
			}
		}
	}()
	return w
}

// stop ends the watch and checks that no counter ever went back.
func (w counterWatch) stop(t *testing.T) {
	t.Helper()
	close(w.quit)
	seen := <-w.seen
	for i := 1; i < len(seen); i++ {
		if seen[i].Received < seen[i-1].Received || seen[i].Dropped < seen[i-1].Dropped {
			t.Errorf("counters went back: %+v, then %+v", seen[i-1], seen[i])
		}
	}
}

// Eventually polls until the condition holds, and fails the test if it does not
// within the given time.
func Eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
