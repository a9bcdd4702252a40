package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/replay"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// replays reads capture files, one after the other.
type replays struct {
	files []replayFile

	mu       sync.Mutex
	failures []string // sentences for status
}

// A replayFile is a file to replay, or what its header had wrong with it.
type replayFile struct {
	path   string
	source *replay.Source
	err    error
}

// openReplays opens the files. One that is not there or may not be read is a
// mistake in the command line and an error, and so is it if none of them is a
// capture. One that is none beside others is told when its turn comes, as it
// would be if it broke off further in.
func openReplays(paths []string) (*replays, error) {
	r := &replays{}
	var unreadable []error
	for _, path := range paths {
		s, err := replay.Open(path)
		var broken *pcapio.FormatError
		if err != nil && !errors.As(err, &broken) {
			r.close()
			return nil, err
		}
		if err != nil {
			unreadable = append(unreadable, err)
		}
		r.files = append(r.files, replayFile{path, s, err})
	}
	if len(unreadable) == len(paths) {
		return nil, errors.Join(unreadable...)
	}
	return r, nil
}

// close closes the files that were not run; nil has none.
func (r *replays) close() {
	if r == nil {
		return
	}
	for _, f := range r.files {
		if f.source != nil {
			_ = f.source.Close()
		}
	}
}

// run feeds all files to the sink. A file that breaks off is told and the
// next one read.
func (r *replays) run(ctx context.Context, sink capture.Sink, d *Daemon) {
	for i, f := range r.files {
		r.files[i].source = nil // it holds a buffer
		if ctx.Err() != nil {
			if f.source != nil {
				_ = f.source.Close()
			}
			continue
		}
		begun, packets, err := time.Now(), uint64(0), f.err
		if f.source != nil {
			err = f.source.Run(ctx, sink)
			packets = f.source.Counters().Received
		}
		took := time.Since(begun).Round(time.Millisecond)
		text := fmt.Sprintf("%s: %d packets replayed in %v", f.path, packets, took)
		if err != nil {
			eventlog.ReplayBroken(f.path, packets, err).Log(d.log)
			text = err.Error()
			r.mu.Lock()
			r.failures = append(r.failures, text)
			r.mu.Unlock()
		} else {
			eventlog.FileReplayed(f.path, packets, took).Log(d.log)
		}
		d.coverage.add(control.CoverageEntry{Time: time.Now(), Kind: "replay", Text: text})
		d.tell("%s", text)
	}
}

func (r *replays) warnings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.failures...)
}
