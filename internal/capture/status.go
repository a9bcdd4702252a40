package capture

import (
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A State says what is done with an interface.
type State string

// The states, as status shows them.
const (
	// StateCapturing: packets are being recorded.
	StateCapturing State = "capturing"
	// StateDown: the source is open, and the interface is down or unplugged;
	// recording begins with its first packet.
	StateDown State = "down"
	// StateWaiting: it was asked for by name and is not there, or it is being
	// opened.
	StateWaiting State = "waiting"
	// StateCovered: its packets are recorded on the interfaces in CoveredBy.
	StateCovered State = "covered"
	// StateExcluded: it is not to be recorded; Reason says why.
	StateExcluded State = "excluded"
	// StateFailed: it could not be opened or broke off; it is tried again.
	StateFailed State = "failed"
	// StateGone: it was recorded earlier and no longer exists.
	StateGone State = "gone"
)

// A Status is what is known of one interface.
type Status struct {
	// Interface as announced or, if it never was, as the system lists it.
	Interface packet.Interface
	// ID is the sink's number for it, if Announced.
	ID        packet.InterfaceID
	Announced bool

	State State
	// Reason says more about the state: why excluded, what it waits for.
	Reason string
	// CoveredBy names the interfaces that show its packets, if StateCovered.
	CoveredBy []string
	// Since is when the state began.
	Since time.Time
	// Err is why it failed last; nil again once it captures.
	Err error
	// Retry is when it is tried again, if StateFailed.
	Retry time.Time

	// Received and Dropped are totals over all times it was opened, in packets.
	Received, Dropped uint64
	// Backend names the implementation; empty if nothing captures or has to.
	Backend string
	// Note says what the backend cannot see.
	Note string
	// RingBytes is the memory of the buffer; 0 while not open.
	RingBytes int
}

// A Kind is what an Event tells.
type Kind uint8

// The kinds of Event.
const (
	// Started: packets of the interface are recorded from now on.
	Started Kind = iota
	// Stopped: no longer; Reason says why (down, vanished, excluded, ...).
	Stopped
	// Failed: it could not be opened or broke off; Err says why. Told once for
	// the same error in a row.
	Failed
	// Dropped: Count more packets were lost since the last such event.
	Dropped
	// Missing: it was asked for by name and is not there.
	Missing
)

// String names the kind in a word.
func (k Kind) String() string {
	switch k {
	case Started:
		return "started"
	case Stopped:
		return "stopped"
	case Failed:
		return "failed"
	case Dropped:
		return "dropped"
	case Missing:
		return "missing"
	}
	return "unknown"
}

// An Event is a change in what is recorded, for the log and for the coverage
// log, which tells "nothing seen" from "not looking".
type Event struct {
	// Time is when it happened or was noticed.
	Time time.Time
	// Interface is the interface; without a name if the list of interfaces
	// itself failed.
	Interface packet.Interface
	// ID is the sink's number for the interface, if Announced.
	ID        packet.InterfaceID
	Announced bool

	Kind   Kind
	Reason string
	Err    error
	Count  uint64
}
