package daemon

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/version"
)

// Section implements dump.Facts: what a pcapng says of itself.
func (d *Daemon) Section() pcapio.Section {
	s := d.status()
	var kept strings.Builder
	kept.WriteString(control.KeptComment)
	for _, h := range s.Horizons {
		kept.WriteString(h.Kept("every session", "capture"))
	}
	for _, r := range s.Retain {
		if r.Factor == 0 {
			fmt.Fprintf(&kept, "sessions of %s: not stored, by a rule\n", r.Filter)
		}
		for _, h := range r.Horizons[:min(1, len(r.Horizons))] {
			kept.WriteString(h.Kept("every session of "+r.Filter, fmt.Sprintf("a rule to keep these %v times as long as others", r.Factor)))
		}
	}
	if s.Persistence.State == control.PersistenceRestoring {
		kept.WriteString("what an earlier run had left was still being read back when this was written: there is more\n")
	}
	if !s.Unanswered.Complete {
		fmt.Fprintf(&kept, "first packets that nothing followed: the last %v\n", (time.Duration(s.Unanswered.Seconds) * time.Second).String())
	}
	came := fmt.Sprintf("%d packets seen", s.Totals.Seen.Packets)
	if n := s.Totals.Restored.Packets; n > 0 {
		came = fmt.Sprintf("%d packets seen and %d restored", s.Totals.Seen.Packets, n)
	}
	fmt.Fprintf(&kept, "%d of %s were evicted, %d were dropped before they could be stored.", s.Totals.Evicted.Packets, came, s.Totals.Dropped)
	return pcapio.Section{
		Hardware:    runtime.GOARCH,
		OS:          runtime.GOOS,
		Application: "PacketCache " + version.String(),
		Comments:    []string{kept.String(), control.CoverageComment(s.Coverage)},
	}
}

// Counters implements dump.Facts.
func (d *Daemon) Counters() func(packet.InterfaceID) (received, dropped uint64) {
	if d.loop == nil {
		// In a replay, what the cache saw.
		_, stats := d.cache.Interfaces()
		return func(id packet.InterfaceID) (received, dropped uint64) {
			if int(id) >= len(stats) {
				return 0, 0
			}
			return stats[id].Seen.Packets, 0
		}
	}
	links := map[packet.InterfaceID]capture.Status{}
	for _, l := range d.loop.Status() {
		if l.Announced {
			links[l.ID] = l
		}
	}
	return func(id packet.InterfaceID) (received, dropped uint64) {
		l := links[id]
		return l.Received + l.Dropped, l.Dropped
	}
}
