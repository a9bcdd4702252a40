package capturetest

import (
	"context"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// Silent is a Source of an interface on which nothing comes.
type Silent struct{ Interface packet.Interface }

// Run implements capture.Source.
func (s Silent) Run(ctx context.Context, sink capture.Sink) error {
	if _, err := sink.Interface(s.Interface); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// Counters implements capture.Source.
func (Silent) Counters() capture.Counters { return capture.Counters{} }

// Nowhere is a Sink that keeps nothing.
type Nowhere struct{}

// Interface implements capture.Sink.
func (Nowhere) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }

// Packets implements capture.Sink.
func (Nowhere) Packets([]packet.Packet) {}
