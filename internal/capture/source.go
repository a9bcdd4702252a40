// Package capture brings packets from interfaces and files to a Sink. It
// knows packets, not the cache that the service keeps them in.
package capture

import (
	"context"
	"errors"

	"github.com/packetcache/packetcache/internal/packet"
)

// A Sink takes the packets of all sources. Its methods may be called from
// several goroutines at once.
type Sink interface {
	// Interface announces where packets will come from and returns the number
	// that they are to carry. The same name and link type give the same number
	// again, so that an interface that went and came back keeps its own.
	// It fails when there are more interfaces than can be told apart. An
	// interface is announced again when its addresses change.
	Interface(packet.Interface) (packet.InterfaceID, error)
	// Packets takes a batch, oldest first. Both the slice and what it points
	// to are borrowed for the length of the call.
	Packets([]packet.Packet)
}

// A Source delivers the packets of one interface or one file. There are four
// implementations (AF_PACKET, Npcap, raw sockets, replay); package
// capturetest holds the contract that all of them pass.
type Source interface {
	// Run announces what it captures from and then delivers packets until ctx
	// is done or, for a file, until its end; both return nil. What was read
	// before an error has been delivered when Run returns the error. Run is
	// called once and releases what the Source holds before it returns.
	Run(ctx context.Context, sink Sink) error
	// Counters may be called at any time from any goroutine.
	Counters() Counters
}

// ErrVanished is what a Source's Run returns, wrapped, when its interface no
// longer exists. An interface that is merely down does not end Run.
var ErrVanished = errors.New("the interface no longer exists")

// Counters are totals since the Source was opened.
type Counters struct {
	// Received packets were delivered to the Sink.
	Received uint64
	// Dropped packets reached the kernel's or the driver's buffer but not us.
	Dropped uint64
}
