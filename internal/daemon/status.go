package daemon

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/version"
)

// status describes the service as of now.
func (d *Daemon) status() control.Status {
	var links []capture.Status
	if d.loop != nil {
		links = d.loop.Status()
	}
	stats := d.cache.Stats()
	now := time.Now()
	state, since := d.inState(links)
	s := control.Status{
		Version: version.String(),
		State:   state, Since: since, Time: now,
		Replay: d.replays != nil,
		Host:   d.host, PID: os.Getpid(),
		Memory:      d.memory(&stats, links),
		Totals:      totals(&stats, links),
		Sessions:    sessions(&stats),
		Horizons:    d.horizons(now, stats.PromiseAnswered, &stats.Unanswered),
		Retain:      d.rules(&stats, now),
		Unanswered:  d.horizon(0, stats.Unanswered.Horizon, stats.Unanswered.Complete, now),
		Classes:     classes(&stats),
		Persistence: d.persistence(),
		Interfaces:  d.interfaces(links),
		Coverage:    d.coverage.all(),
	}
	s.Warnings = d.warnings(links, &s.Persistence)
	if stats.Held().Packets > 0 {
		s.OldestPacket, s.NewestPacket = time.Unix(0, stats.Oldest), time.Unix(0, stats.Newest)
	}
	s.Dumps.Active, s.Dumps.Waiting, s.Dumps.Served = d.dumper.Activity()
	return s
}

func (d *Daemon) memory(stats *cache.Stats, links []capture.Status) control.Memory {
	m := control.Memory{
		BudgetBytes: int64(d.budget()),
		UsedBytes:   int64(stats.Used),
		Locked:      d.cache.LockError() == nil,
	}
	for _, l := range links {
		m.UsedBytes += int64(l.RingBytes)
	}
	add := func(classes *[cache.NumClasses]cache.ClassStats) {
		for i := range classes {
			m.CacheBytes += int64(classes[i].Memory)
			m.UncompressedBytes += int64(classes[i].Unpacked - classes[i].Packed)
		}
	}
	add(&stats.Classes)
	for i := range stats.Tiers {
		add(&stats.Tiers[i].Classes)
	}
	m.CacheBytes += int64(stats.Unanswered.Memory)
	m.UncompressedBytes += m.CacheBytes
	if err := d.cache.LockError(); err != nil {
		m.LockedNote = err.Error()
	}
	return m
}

func totals(stats *cache.Stats, links []capture.Status) control.Totals {
	t := control.Totals{
		Seen: control.Count(stats.Seen), Restored: control.Count(stats.Restored), Stored: control.Count(stats.Stored), Evicted: control.Count(stats.Evicted),
		Damaged: control.Count(stats.Damaged),
		Refused: map[string]uint64{},
	}
	for reason, n := range stats.Refused {
		t.Refused[reason.String()] = n.Packets
	}
	for _, l := range links {
		t.Dropped += l.Dropped
	}
	return t
}

func sessions(stats *cache.Stats) control.Sessions {
	return control.Sessions{
		Live:       uint64(stats.Sessions.Used),
		Capacity:   uint64(stats.Sessions.Capacity),
		Seen:       stats.Sessions.Seen,
		Unanswered: stats.Unanswered.Held.Packets,
		Overflowed: stats.Sessions.GivenUp,
	}
}

// horizons are promises, from the heads of sessions to whole ones, of which
// those are a part that were never answered.
func (d *Daemon) horizons(now time.Time, promise func(class int) (time.Duration, bool), unanswered *cache.ClassStats) []control.Horizon {
	var list []control.Horizon
	for _, class := range control.Beginnings {
		age, complete := promise(class)
		list = append(list, d.horizon(1024<<class, age, complete, now))
	}
	age, complete := promise(cache.NumClasses - 1)
	complete = complete && (unanswered.Complete || unanswered.Horizon >= age)
	return append(list, d.horizon(0, min(age, unanswered.Horizon), complete, now))
}

func (d *Daemon) horizon(upTo int64, age time.Duration, complete bool, now time.Time) control.Horizon {
	h := control.Horizon{UpToBytes: upTo, Seconds: age.Seconds(), Complete: complete}
	if d.replays == nil {
		h.Since = now.Add(-age)
	}
	return h
}

// classes are the logs in use, those of sessions under no rule first.
func classes(stats *cache.Stats) []control.Class {
	list := classesOf(1, &stats.Classes)
	for i := range stats.Tiers {
		list = append(list, classesOf(stats.Tiers[i].Factor, &stats.Tiers[i].Classes)...)
	}
	return list
}

func classesOf(factor float64, classes *[cache.NumClasses]cache.ClassStats) []control.Class {
	var list []control.Class
	for k := range classes {
		c := &classes[k]
		if c.Held.Packets+c.Evicted.Packets == 0 {
			continue
		}
		to := int64(0)
		if k+1 < cache.NumClasses {
			to = int64(cache.ClassStart(k + 1))
		}
		list = append(list, control.Class{
			Class: k, Factor: factor, FromBytes: int64(cache.ClassStart(k)), ToBytes: to,
			Packets: c.Held.Packets, Bytes: c.Held.Bytes, Segments: c.Segments,
			CompressedSegments: c.Compressed, MemoryBytes: int64(c.Memory),
			HorizonSeconds: c.Horizon.Seconds(), Complete: c.Complete,
		})
	}
	return list
}

// interfaces are those that the capture loop knows, and in a replay those of
// the files.
func (d *Daemon) interfaces(links []capture.Status) []control.Interface {
	known, stats := d.cache.Interfaces()
	var list []control.Interface
	if d.loop == nil {
		for id := range known {
			i := describe(&known[id])
			i.ID, i.State, i.Backend = id, control.InterfaceReplayed, "replay"
			i.Received, i.Stored = control.Count(stats[id].Seen), stored(&stats[id])
			list = append(list, i)
		}
		return list
	}
	for n := range links {
		l := &links[n]
		i := describe(&l.Interface)
		i.ID, i.State, i.Since = -1, states[l.State], l.Since
		i.Backend, i.Note, i.CoveredBy = l.Backend, l.Note, strings.Join(l.CoveredBy, ", ")
		if l.State != capture.StateExcluded && l.State != capture.StateCovered && l.State != capture.StateGone {
			i.Filter = d.settings().CaptureFilter
		}
		i.Dropped = l.Dropped
		switch {
		case l.Err != nil:
			i.Error = l.Err.Error() // which is the reason, too
		case i.Note == "":
			i.Note = l.Reason
		}
		if l.Announced && int(l.ID) < len(known) {
			i.ID = int(l.ID)
			i.Received, i.Stored = control.Count(stats[l.ID].Seen), stored(&stats[l.ID])
		} else {
			i.LinkTypeNumber, i.LinkType = -1, ""
		}
		list = append(list, i)
	}
	return list
}

// stored is what was put into the cache, whether or not it is still there.
func stored(s *cache.InterfaceStats) control.Count {
	return control.Count{Packets: s.Seen.Packets - s.Refused.Packets, Bytes: s.Seen.Bytes - s.Refused.Bytes}
}

var states = map[capture.State]control.InterfaceState{
	capture.StateCapturing: control.InterfaceCapturing,
	capture.StateDown:      control.InterfaceDown,
	capture.StateWaiting:   control.InterfaceWaiting,
	capture.StateCovered:   control.InterfaceCovered,
	capture.StateExcluded:  control.InterfaceExcluded,
	capture.StateFailed:    control.InterfaceFailed,
	capture.StateGone:      control.InterfaceGone,
}

func describe(i *packet.Interface) control.Interface {
	out := control.Interface{
		Name: i.Name, Description: i.Description,
		LinkType: i.LinkType.String(), LinkTypeNumber: int(i.LinkType),
		MAC: hardwareAddress(i.MAC),
	}
	for _, a := range i.Addrs {
		out.Addresses = append(out.Addresses, addressText(a))
	}
	return out
}

func addressText(p netip.Prefix) string { return p.String() }

func hardwareAddress(mac []byte) string {
	parts := make([]string, len(mac))
	for i, b := range mac {
		parts[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(parts, ":")
}

// warnings are sentences for the administrator.
func (d *Daemon) warnings(links []capture.Status, kept *control.Persistence) []string {
	var list []string
	if err := d.cache.LockError(); err != nil {
		list = append(list, fmt.Sprintf("Captured packets may be paged to disk: %v.", err))
	}
	list = append(list, d.taken.warnings()...)
	list = append(list, keeperWarnings(kept)...)
	list = append(list, d.settingWarnings()...)
	if d.replays != nil {
		list = append(list, d.replays.warnings()...)
	}
	capturing := 0
	var blind []string
	for _, l := range links {
		switch l.State {
		case capture.StateFailed:
			list = append(list, fmt.Sprintf("%s is not recorded: %v.", l.Interface.Name, l.Err))
		case capture.StateWaiting:
			if l.Err == nil && l.Backend == "" {
				list = append(list, fmt.Sprintf("%s is asked for and not there; it is recorded as soon as it comes.", l.Interface.Name))
			}
		case capture.StateCapturing, capture.StateDown:
			capturing++
			if l.Backend == capture.BackendRawsock {
				blind = append(blind, l.Interface.Name)
			}
		}
	}
	if len(blind) > 0 {
		list = append(list, fmt.Sprintf("Only IPv4 is recorded on %s: raw sockets see neither IPv6 nor ARP. Install Npcap to record all.", strings.Join(blind, ", ")))
	}
	if d.loop != nil && capturing == 0 && d.settled() {
		list = append(list, "No interface is recorded: see pcctl interfaces for the reasons.")
	}
	if d.budget() == uint64(config.MinBudget) && d.settings().RAMSize == 0 {
		list = append(list, "The share of memory comes to less than 8 MiB, so 8 MiB are used: a larger ram-percent remembers longer.")
	}
	return list
}
