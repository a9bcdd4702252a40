package record

import (
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A State is what a cache knows besides its packets. Ages are as of when it was
// taken, by the cache's own clock, which never goes back. It stands in files, as
// JSON.
type State struct {
	// Age is how far back the history reaches at most: since then packets have
	// been stored, and all losses are known.
	Age time.Duration `json:"age_ns"`
	// Tables are interfaces by their numbers: those of the run that saved, and those
	// of earlier runs of which there are packets. An interface that has none has no
	// name.
	Tables [][]packet.Interface `json:"tables"`
	// Rules are those on what is kept for longer or shorter, in their order.
	Rules []Rule `json:"rules,omitempty"`
	// Logs are the queues in which the segments stand, the most important first.
	// In this order they are saved, each from its youngest segment on.
	Logs []Log `json:"logs"`
}

// A Rule has the packets that match Filter kept Factor times as long as others.
type Rule struct {
	// Filter is in the language of pcap-filter(7).
	Filter string  `json:"filter"`
	Factor float64 `json:"factor"`
	// Since is for how long it has been in force.
	Since time.Duration `json:"since_ns"`
}

// A Log is the queue of the packets of one class, of the sessions under rules of
// one factor.
type Log struct {
	// Class is how far in their sessions its packets stand, from 0.
	Class int `json:"class"`
	// Unanswered says that it holds first packets of all sessions, to which nothing
	// came in reply. There can be two of these: of packets that still waited, and of
	// those that waited in vain.
	Unanswered bool `json:"unanswered,omitempty"`
	// Factor is that of the rules; 1 also stands for no rule.
	Factor float64 `json:"factor"`
	// Segments that it had when the state was taken, and their packets and captured
	// bytes. Fewer follow if the oldest were evicted before they could be saved, or
	// time was short.
	Segments int    `json:"segments"`
	Packets  uint64 `json:"packets"`
	Bytes    uint64 `json:"bytes"`
	// EvictedPackets and EvictedBytes had gone by then.
	EvictedPackets uint64 `json:"evicted_packets"`
	EvictedBytes   uint64 `json:"evicted_bytes"`
	// Newest is the age of its newest packet, 0 if it had none.
	Newest time.Duration `json:"newest_ns"`
	// Lost is the age of the newest packet that was evicted or refused, nil if none
	// was.
	Lost *time.Duration `json:"lost_ns,omitempty"`
	// Late are the packets of sessions that belong to it and stand in the log of
	// unanswered ones, nil if there are none.
	Late *Span `json:"late,omitempty"`
	// LeftBehind is the age of the newest packet that it may have of sessions that
	// are no longer under a rule of its factor, nil if there are none.
	LeftBehind *time.Duration `json:"left_behind_ns,omitempty"`
}

// A Span is the ages of the oldest and the newest of some packets.
type Span struct {
	Oldest time.Duration `json:"oldest_ns"`
	Newest time.Duration `json:"newest_ns"`
}
