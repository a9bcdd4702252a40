// Package control is the service's control endpoint: the words of its
// HTTP/JSON interface under /v1, the server that answers them and the client
// that asks. docs/control.md describes the same for those who bring their own
// client.
//
// The interface only grows: fields and paths are added, never renamed or
// given another meaning, and a client ignores fields that it does not know.
package control

import "time"

// A State is what the service is doing.
type State string

// The states of the service.
const (
	// StateStarting: settings are read and memory is being taken.
	StateStarting State = "starting"
	// StateCapturing: packets are recorded from at least one interface.
	StateCapturing State = "capturing"
	// StateReplaying: packets are read from files.
	StateReplaying State = "replaying"
	// StateIdle: there is nothing to record from, or the files have been read;
	// the cache can be dumped.
	StateIdle State = "idle"
	// StateStopping: the service is going down.
	StateStopping State = "stopping"
)

// A Status is the answer to GET /v1/status. Numbers of packets and bytes count
// since the service started unless said otherwise; bytes of packets are
// captured bytes, without any header of ours.
type Status struct {
	// Version of the service, as its --version prints it.
	Version string `json:"version"`
	// State is what the service is doing, Since when.
	State State     `json:"state"`
	Since time.Time `json:"since"`
	// Replay says that packets come from files. Ages and horizons then count back
	// from NewestPacket, in the files' time.
	Replay bool `json:"replay"`
	// Time is when this answer was made.
	Time time.Time `json:"time"`
	// Host is the name of the machine, PID the process of the service.
	Host string `json:"host"`
	PID  int    `json:"pid"`

	Memory   Memory   `json:"memory"`
	Totals   Totals   `json:"totals"`
	Sessions Sessions `json:"sessions"`
	// Horizons say how far back the cache reaches, from the first KiB of every
	// session of more than one packet (first) to everything (last, UpToBytes 0).
	// Sessions under a rule of another factor than 1 are not meant.
	Horizons []Horizon `json:"horizons"`
	// Retain are the rules of the setting of that name, in its order.
	Retain []RetainRule `json:"retain"`
	// Unanswered says the same of first packets that nothing followed, such as
	// a scan's; UpToBytes is 0.
	Unanswered Horizon `json:"unanswered"`
	// Classes are the cache's logs, from the heads of sessions outwards.
	Classes []Class `json:"classes"`
	// OldestPacket and NewestPacket are packet times in the cache, absent when
	// it is empty.
	OldestPacket time.Time `json:"oldest_packet,omitzero"`
	NewestPacket time.Time `json:"newest_packet,omitzero"`

	// Persistence says what is kept over a restart.
	Persistence Persistence `json:"persistence"`

	Interfaces []Interface `json:"interfaces"`
	// Coverage tells when and where the service was looking, oldest first, so
	// that "nothing seen" can be told from "not looking".
	Coverage []CoverageEntry `json:"coverage"`
	Dumps    Dumps           `json:"dumps"`
	// Warnings are sentences for the administrator, each with what to do.
	Warnings []string `json:"warnings"`
}

// Memory says what the budget is spent on.
type Memory struct {
	// BudgetBytes is all that the service may use for its work.
	BudgetBytes int64 `json:"budget_bytes"`
	// UsedBytes of the budget are taken: the cache's pages that hold something,
	// the session table, the capture rings and all bookkeeping.
	UsedBytes int64 `json:"used_bytes"`
	// CacheBytes are taken by the stored packets and their headers.
	CacheBytes int64 `json:"cache_bytes"`
	// UncompressedBytes is what they would take if nothing were compressed.
	UncompressedBytes int64 `json:"uncompressed_bytes"`
	// Locked says that captured data cannot reach a swap file. LockedNote says
	// why not, or for which part.
	Locked     bool   `json:"locked"`
	LockedNote string `json:"locked_note,omitempty"`
}

// A Count is a number of packets and their captured bytes.
type Count struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Totals follow packets from the interface to their end. Stored packets that
// were not Evicted are in the cache now.
type Totals struct {
	// Seen packets were handed to the cache, Restored ones are of earlier runs.
	Seen     Count `json:"seen"`
	Restored Count `json:"restored"`
	// Stored packets are those of both that were put into it.
	Stored Count `json:"stored"`
	// Evicted packets had to make room for others.
	Evicted Count `json:"evicted"`
	// Damaged packets are stored and cannot be read any more.
	Damaged Count `json:"damaged"`
	// Refused packets were not stored, by reason.
	Refused map[string]uint64 `json:"refused"`
	// Dropped packets were lost before they reached the service, as the
	// kernel or the driver counts them.
	Dropped uint64 `json:"dropped"`
}

// Sessions count conversations.
type Sessions struct {
	// Live sessions are in the table now, of Capacity places; one that ended
	// stays there until its place is needed.
	Live     uint64 `json:"live"`
	Capacity uint64 `json:"capacity"`
	// Seen sessions have begun since the service started.
	Seen uint64 `json:"seen"`
	// Unanswered sessions are live and nobody has replied to them yet.
	Unanswered uint64 `json:"unanswered"`
	// Overflowed sessions had to give up their place while they were live.
	Overflowed uint64 `json:"overflowed"`
}

// A Horizon says since when the beginning of every session is there.
type Horizon struct {
	// UpToBytes is the length of that beginning; 0 means everything.
	UpToBytes int64 `json:"up_to_bytes"`
	// Seconds is how far back it holds, on the cache's own clock.
	Seconds float64 `json:"seconds"`
	// Since is the same as a time, absent where packet times do not follow the
	// clock of the machine.
	Since time.Time `json:"since,omitzero"`
	// Complete means that nothing of the kind that was captured was lost since
	// capture began; Seconds is then how long ago that was. Packets dropped
	// before (Totals.Dropped) are not counted, since nobody knows their kind.
	Complete bool `json:"complete"`
}

// A RetainRule says what has come of one rule of the setting retain.
type RetainRule struct {
	// Filter is asked with the first packet of a session; the first rule that
	// matches counts.
	Filter string `json:"filter"`
	// Factor is how many times as long its sessions are kept as others; 0 says
	// that nothing of them is stored.
	Factor float64 `json:"factor"`
	// Sessions have come under it, Seen packets of them. With the factor 0 these
	// are among Totals.Refused.
	Sessions uint64 `json:"sessions"`
	Seen     Count  `json:"seen"`
	// Horizons are as those of Status; none with the factor 0. Complete means
	// that nothing was lost since the rule is in force, which is Seconds ago.
	Horizons []Horizon `json:"horizons"`
}

// A Class is one log of the cache.
type Class struct {
	// Class numbers the logs of one factor from 0.
	Class int `json:"class"`
	// Factor is that of the rules whose sessions the log is for; 1 also for
	// sessions under none.
	Factor float64 `json:"factor"`
	// FromBytes and ToBytes are the offsets in a session that it holds, from
	// inclusive, to exclusive; ToBytes 0 means no end.
	FromBytes int64 `json:"from_bytes"`
	ToBytes   int64 `json:"to_bytes"`
	// Packets and Bytes are in it now, in Segments, which take MemoryBytes;
	// CompressedSegments of them are compressed.
	Packets            uint64 `json:"packets"`
	Bytes              uint64 `json:"bytes"`
	Segments           int    `json:"segments"`
	CompressedSegments int    `json:"compressed_segments"`
	MemoryBytes        int64  `json:"memory_bytes"`
	// HorizonSeconds is the age of the newest packet it lost; when Complete,
	// it lost none and this is how long ago capture began.
	HorizonSeconds float64 `json:"horizon_seconds"`
	Complete       bool    `json:"complete"`
}

// A CoverageEntry is one line of the log of when and where the service looked.
type CoverageEntry struct {
	Time time.Time `json:"time"`
	// Kind is one word: start, stop, sleep, wake, up, down, drops, clock,
	// settings, replay, gap, clear. There may be more.
	Kind string `json:"kind"`
	// Interface is the name of the interface concerned, or empty for all.
	Interface string `json:"interface,omitempty"`
	// Text says it in words.
	Text string `json:"text"`
}

// Dumps count those who read the cache.
type Dumps struct {
	// Active dumps are being sent, Waiting ones have begun and wait for their
	// turn, Served ones have been sent whole.
	Active  int    `json:"active"`
	Waiting int    `json:"waiting"`
	Served  uint64 `json:"served"`
}
