package config

import (
	"context"
	"sync"
	"time"
)

const (
	// settling is how long nothing must change before the settings are read
	// anew: editors and installers change several things one after the other.
	settling = 250 * time.Millisecond
	// impatience is how long changes that do not end can put that off.
	impatience = 2 * time.Second
	// unwatched is how often a source is read anew that cannot be watched, and
	// that watching it is tried again.
	unwatched = 30 * time.Second
)

// A watched source notices by itself when it has changed.
type watched interface {
	Source
	// watch calls hint after each change, and more often as it likes, until
	// ctx is done or an error occurs.
	watch(ctx context.Context, hint func()) error
}

// Watch calls changed when the sources may hold something else than before, for
// the caller to Load them, until ctx is done. Changes in quick succession are
// one. It calls failed when a source cannot be watched, once for the same
// reason; such a source is read every half minute. Both are called by one
// goroutine at a time, but not by the same one.
func (l *Loader) Watch(ctx context.Context, changed func(), failed func(location string, err error)) {
	hints := make(chan struct{}, 1)
	hint := func() {
		select {
		case hints <- struct{}{}:
		default:
		}
	}
	var watchers sync.WaitGroup
	defer watchers.Wait()
	var one sync.Mutex
	for _, source := range l.Sources {
		if w, ok := source.(watched); ok {
			watchers.Go(func() {
				keepWatching(ctx, w, hint, func(err error) {
					one.Lock()
					defer one.Unlock()
					failed(w.Location(), err)
				})
			})
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hints:
		}
		if settle(ctx, hints) {
			changed()
		}
	}
}

// settle waits until there are no more hints, and reports false if ctx is done.
func settle(ctx context.Context, hints <-chan struct{}) bool {
	quiet := time.NewTimer(settling)
	defer quiet.Stop()
	latest := time.NewTimer(impatience)
	defer latest.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-hints:
			quiet.Reset(settling)
		case <-quiet.C:
			return true
		case <-latest.C:
			return true
		}
	}
}

// keepWatching watches a source again and again if need be.
func keepWatching(ctx context.Context, w watched, hint func(), failed func(error)) {
	told := ""
	for {
		err := w.watch(ctx, hint)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(unwatched):
			hint()
		}
	}
}
