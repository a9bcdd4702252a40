package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/replay"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
)

// replays reads capture files, one after the other.
type replays struct {
	sources []*replay.Source

	mu       sync.Mutex
	failures []string // sentences for status
	done     int
}

func openReplays(paths []string) (*replays, error) {
	r := &replays{}
	for _, path := range paths {
		s, err := replay.Open(path)
		if err != nil {
			for _, opened := range r.sources {
				err = errors.Join(err, opened.Close())
			}
			return nil, err
		}
		r.sources = append(r.sources, s)
	}
	return r, nil
}

// run feeds all files to the sink. A file that breaks off is told and the
// next one read.
func (r *replays) run(ctx context.Context, sink capture.Sink, d *Daemon) {
	for _, s := range r.sources {
		if ctx.Err() != nil {
			break
		}
		begun := time.Now()
		err := s.Run(ctx, sink)
		log := d.log.WithFields(logrus.Fields{"file": s.Path(), "packets": s.Counters().Received})
		text := fmt.Sprintf("%s: %d packets replayed in %v", s.Path(), s.Counters().Received, time.Since(begun).Round(time.Millisecond))
		if err != nil {
			log.WithError(err).Error("The file could not be replayed to its end; what came before is kept")
			text = err.Error()
			r.mu.Lock()
			r.failures = append(r.failures, err.Error())
			r.mu.Unlock()
		} else {
			log.Info("File replayed")
		}
		d.coverage.add(control.CoverageEntry{Time: time.Now(), Kind: "replay", Text: text})
		d.tell("%s", text)
		r.mu.Lock()
		r.done++
		r.mu.Unlock()
	}
}

func (r *replays) warnings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.failures...)
}

// received is not told apart by interface in a replay: what the cache saw.
func (d *Daemon) replayed(id packet.InterfaceID) uint64 {
	_, stats := d.cache.Interfaces()
	if int(id) >= len(stats) {
		return 0
	}
	return stats[id].Seen.Packets
}
