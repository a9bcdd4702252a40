package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/persist"
	"github.com/packetcache/packetcache/internal/power"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/version"
)

const (
	// stopLimit is how long a save may take where nobody says.
	stopLimit = 20 * time.Second
	// closing is what the end of the service takes besides wiping its memory and
	// giving it back, of which a busy machine does wipedBytes in a second.
	closing    = 200 * time.Millisecond
	wipedBytes = 3 << 29
	// wipingShare of the time for a stop, at most, is left for that.
	wipingShare = 4
)

// notKept says why nothing is kept over a restart, whatever the settings say;
// empty if they decide. A trial in the foreground must not touch the file of the
// service, and a service that knows nothing of its settings must not make one that
// is smaller, for fewer keys, or not wanted at all.
func (d *Daemon) notKept() string {
	switch {
	case d.replays != nil:
		return "what comes from files can be read from them again"
	case d.o.Loaded.Unread():
		return "the settings could not be read when PacketCache started; what an earlier run has left stays as it is until a start with right ones"
	case d.o.Foreground != nil && d.o.Loaded.Origin("data-dir") != config.CommandLine:
		return "in the foreground only with --data-dir on the command line"
	}
	return ""
}

// newKeeper makes what keeps the cache, nil if nothing is to be kept.
func (d *Daemon) newKeeper() *persist.Keeper {
	if d.notKept() != "" {
		return nil
	}
	return persist.New(persist.Options{
		Dir: d.o.Loaded.DataDir, Cache: d.cache, Log: d.log,
		Program: "PacketCache " + version.String(), Host: d.host,
		Coverage:  d.sealedCoverage,
		Returned:  d.returned,
		StopBy:    d.saveBy,
		OnBattery: power.OnBattery,
		Now:       time.Now,
	}, keeperSettings(d.settings()))
}

func keeperSettings(s *config.Settings) persist.Settings {
	out := persist.Settings{Persist: s.Persist, Interval: s.CheckpointInterval}
	for _, key := range s.RecoveryRecipients {
		if r, err := age.ParseX25519Recipient(key); err == nil { // Load lets no other through
			out.Recipients = append(out.Recipients, r)
		}
	}
	return out
}

// keep keeps the cache over a restart: it reads back what an earlier run has left,
// makes checkpoints, and seals all of it when the service stops and nothing more is
// captured.
func (d *Daemon) keep(ctx context.Context, captured <-chan struct{}) {
	if d.keeper == nil {
		return
	}
	defer d.keeper.Close()
	d.keeper.Run(ctx)
	<-captured
	if d.settings().Persist {
		d.tell("What was recorded is being sealed. Ctrl+C once more ends it without that.")
	}
	d.coverage.add(control.CoverageEntry{Time: time.Now(), Kind: "stop", Text: "PacketCache stopped"})
	d.keeper.Save(ctx)
}

// saveBy is by when the cache has to be sealed. What is left until the service has
// to have ended is for its memory.
func (d *Daemon) saveBy(ctx context.Context) time.Time {
	if d.o.StopBy == nil {
		return time.Now().Add(stopLimit)
	}
	by := d.o.StopBy(ctx)
	d.told.CompareAndSwap(0, time.Now().UnixNano())
	limit := by.Sub(time.Unix(0, d.told.Load()))
	return by.Add(-closing - min(d.wiping(), limit/wipingShare))
}

// wiping is how long it may take to wipe the memory and give it back.
func (d *Daemon) wiping() time.Duration {
	return time.Duration(float64(d.budget()) / wipedBytes * float64(time.Second))
}

// release wipes the memory and gives it back, if there is time for that. Otherwise
// the end of the process gives it back, and the system wipes it.
func (d *Daemon) release(ctx context.Context) {
	if d.o.StopBy != nil && time.Until(d.o.StopBy(ctx)) < d.wiping() {
		return
	}
	if err := d.cache.Close(); err != nil {
		eventlog.MemoryNotReleased(err).Log(d.log)
	}
}

// sealedCoverage is the coverage log as it stands in the file.
func (d *Daemon) sealedCoverage() []seal.Coverage {
	var list []seal.Coverage
	for _, e := range newest(d.coverage.all()) {
		list = append(list, seal.Coverage(e))
	}
	return list
}

// returned puts what an earlier run looked at before this one.
func (d *Daemon) returned(head *seal.Head) {
	var earlier []control.CoverageEntry
	for _, e := range head.Coverage {
		earlier = append(earlier, control.CoverageEntry(e))
	}
	if !head.Final {
		earlier = append(earlier, control.CoverageEntry{
			Time: head.Saved, Kind: "gap",
			Text: "what was recorded after this checkpoint was lost, since PacketCache or the machine ended by force",
		})
	}
	if back := head.Saved.Sub(d.started); back > clockStep {
		earlier = append(earlier, control.CoverageEntry{
			Time: d.started, Kind: "clock",
			Text: fmt.Sprintf("the clock has been set back meanwhile, by %v or more", back.Round(time.Second)),
		})
	}
	d.coverage.restore(earlier)
}

// restoring reports whether what an earlier run has left is still being read back.
func (d *Daemon) restoring() bool {
	return d.keeper != nil && d.keeper.Status().State == persist.Restoring
}

// persistence is how it stands with keeping the cache.
func (d *Daemon) persistence() control.Persistence {
	if d.keeper == nil {
		return control.Persistence{State: control.PersistenceOff, Note: d.notKept()}
	}
	s := d.keeper.Status()
	p := control.Persistence{
		State: keeperStates[s.State], Directory: d.o.Loaded.DataDir,
		NextCheckpoint: s.Next, CheckpointNote: s.Note, SetAside: s.SetAside,
	}
	if s.State == persist.Off {
		p.Note = "the setting persist says so"
	}
	if s.Problem != nil {
		p.Problem = s.Problem.Error()
	}
	if saved := s.Saved; saved != nil {
		p.LastSave = &control.Save{
			Time: saved.Time, Seconds: saved.Took.Seconds(), Checkpoint: !saved.Final,
			Packets: saved.Held.Packets, Bytes: saved.Held.Bytes, FileBytes: saved.FileBytes, Missing: control.Count(saved.Left),
		}
	}
	if r := s.Restored; r != nil {
		p.Restore = &control.Restore{
			Saved: r.Saved, Checkpoint: !r.Final, AwaySeconds: r.Away.Seconds(), SetBackSeconds: r.SetBack.Seconds(),
			Packets: r.Kept.Packets, Bytes: r.Kept.Bytes, Missing: control.Count(r.Left), Done: r.Done,
		}
		if r.Damage != nil {
			p.Restore.Damage = r.Damage.Error()
		}
	}
	return p
}

var keeperStates = map[persist.State]control.PersistenceState{
	persist.Off:       control.PersistenceOff,
	persist.Waiting:   control.PersistenceWaiting,
	persist.Restoring: control.PersistenceRestoring,
	persist.Ready:     control.PersistenceReady,
	persist.Saving:    control.PersistenceSaving,
}

// keeperWarnings are sentences on what is wrong with keeping the cache.
func keeperWarnings(p *control.Persistence) []string {
	var list []string
	if p.Problem != "" {
		list = append(list, fmt.Sprintf("The cache is not kept over a restart for now: %s.", p.Problem))
	}
	for _, path := range p.SetAside {
		list = append(list, fmt.Sprintf("%s could not be read back whole and is kept for you to look at (pcctl verify, pcctl decrypt); remove it when it is not needed.", path))
	}
	return list
}

// clear wipes what was recorded, in memory and on the disk.
func (d *Daemon) clear(user, program string) (control.Cleared, error) {
	stats := d.cache.Stats()
	held := stats.Held()
	var cleared control.Cleared
	var err error
	if d.keeper == nil {
		d.cache.Clear()
	} else {
		cleared.Files, err = d.keeper.Clear()
	}
	d.coverage.add(control.CoverageEntry{Time: time.Now(), Kind: "clear", Text: "the cache was wiped by " + user})
	cleared.Packets, cleared.Bytes = held.Packets, held.Bytes
	if err != nil {
		eventlog.ClearFailed(user, program, err).Log(d.log)
		return cleared, fmt.Errorf("the cache in memory is wiped, but not all of its files: %w", err)
	}
	files := "none"
	if len(cleared.Files) > 0 {
		files = strings.Join(cleared.Files, ", ")
	}
	eventlog.CacheCleared(user, program, held.Packets, held.Bytes, files).Log(d.log)
	return cleared, nil
}
