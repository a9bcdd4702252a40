package daemon

import (
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
)

// liveSink stores what is captured now, replaySink what was captured once.
type (
	liveSink   struct{ *cache.Cache }
	replaySink struct{ *cache.Cache }
)

// Packets implements capture.Sink.
func (s liveSink) Packets(p []packet.Packet) { s.Append(p) }

// Packets implements capture.Sink.
func (s replaySink) Packets(p []packet.Packet) { s.Replay(p) }
