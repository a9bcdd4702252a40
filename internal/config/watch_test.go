package config

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A follower loads the settings whenever its Loader says so.
type follower struct {
	t      *testing.T
	loaded chan *Loaded
	failed chan string
	stop   func() // and wait
}

func follow(t *testing.T, sources ...Source) *follower {
	t.Helper()
	f := &follower{t: t, loaded: make(chan *Loaded, 100), failed: make(chan string, 100)}
	loader := &Loader{Sources: sources}
	last := loader.Load(nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		loader.Watch(ctx, func() {
			last = loader.Load(last)
			f.loaded <- last
		}, func(location string, err error) { f.failed <- location + ": " + err.Error() })
	}()
	f.stop = func() { cancel(); <-ended }
	t.Cleanup(f.stop)
	return f
}

// await waits until settings are loaded that are right.
func (f *follower) await(what string, holds func(*Loaded) bool) {
	f.t.Helper()
	deadline := time.After(30 * time.Second)
	var last *Loaded
	for {
		select {
		case last = <-f.loaded:
			if holds(last) {
				return
			}
		case problem := <-f.failed:
			f.t.Fatalf("%s: %s", what, problem)
		case <-deadline:
			f.t.Fatalf("%s: not seen; the last was %+v", what, last)
		}
	}
}

// biased waits for a value of bias, which has the default 2.
func (f *follower) biased(what string, bias float64) {
	f.t.Helper()
	f.await(what, func(l *Loaded) bool { return l.Bias == bias })
}

// A fakeWatched source is changed by the test.
type fakeWatched struct {
	fakeSource
	changes chan struct{}
	broken  chan error
}

func (w fakeWatched) watch(ctx context.Context, hint func()) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.broken:
			return err
		case <-w.changes:
			hint()
		}
	}
}

// Changes in quick succession are one; those without end are not waited out.
func TestWatchSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := fakeWatched{fakeSource: fakeSource{origin: File}, changes: make(chan struct{})}
		f := follow(t, source)
		for range 20 {
			source.changes <- struct{}{}
			time.Sleep(impatience / 25)
			if len(f.loaded) > 0 {
				t.Fatal("loaded in the midst of changes")
			}
		}
		time.Sleep(2 * settling)
		if n := len(f.loaded); n != 1 {
			t.Errorf("%d loads for 20 changes within %v", n, 20*impatience/25)
		}
		<-f.loaded
		start := time.Now()
		for len(f.loaded) == 0 {
			source.changes <- struct{}{}
			time.Sleep(settling / 5)
		}
		if waited := time.Since(start); waited < impatience || waited > impatience+settling {
			t.Errorf("changes without end are loaded after %v", waited)
		}
		f.stop()
	})
}

// A source that cannot be watched is told of once, and read now and then.
func TestWatchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := fakeWatched{fakeSource: fakeSource{origin: File}, broken: make(chan error, 3)}
		for range 3 {
			source.broken <- errors.New("no watches left")
		}
		f := follow(t, source, fakeSource{origin: Policy})
		time.Sleep(3*unwatched + time.Second)
		if n := len(f.loaded); n != 3 {
			t.Errorf("%d loads within three times %v", n, unwatched)
		}
		if n := len(f.failed); n != 1 || !strings.Contains(<-f.failed, "no watches left") {
			t.Errorf("the failure was told %d times", n)
		}
		f.stop()
	})
}

// While the service runs, a wrong value never lets in what was kept out.
func TestUnsafeKeepsWhatIsInForce(t *testing.T) {
	file := fakeSource{origin: File, entries: []Entry{entry("exclude", Words{"docker*"})}}
	loader := &Loader{Sources: []Source{file}}
	first := loader.Load(nil)
	file.entries = nil
	policy := fakeSource{origin: Policy, entries: []Entry{entry("exclude", Words{"["})}}
	loader.Sources = []Source{file, policy}
	second := loader.Load(first)
	if !slices.Equal(second.Exclude, []string{"docker*"}) || second.Origin("exclude") != File || len(second.Problems) != 1 ||
		!strings.Contains(second.Problems[0].Error(), "what is in force stays") {
		t.Errorf("exclude %q from %v, problems %v", second.Exclude, second.Origin("exclude"), second.Problems)
	}
	// For as long as it is wrong.
	if third := loader.Load(second); !slices.Equal(third.Exclude, []string{"docker*"}) {
		t.Errorf("exclude %q", third.Exclude)
	}
	policy.entries = []Entry{entry("exclude", Words{"veth*"})}
	loader.Sources = []Source{file, policy}
	if fourth := loader.Load(second); !slices.Equal(fourth.Exclude, []string{"veth*"}) || fourth.Origin("exclude") != Policy {
		t.Errorf("exclude %q", fourth.Exclude)
	}
}
