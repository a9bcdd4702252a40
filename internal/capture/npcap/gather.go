package npcap

import (
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

const (
	// batchLen is how many packets go to the sink at once: enough for it to
	// overlap what it has to fetch from memory.
	batchLen = 32
	// gatherBytes holds a batch of packets of ordinary size.
	gatherBytes = batchLen << 10
)

// A gatherer collects packets of which each is valid only until the next is
// read. It copies them: while they are in the processor's cache that costs less
// than to hand them over one by one.
type gatherer struct {
	sink  capture.Sink
	n     int
	used  int
	batch [batchLen]packet.Packet
	bytes [gatherBytes]byte
}

// add takes a packet. What does not fit is handed on first, and a packet that
// never would, from where it lies.
func (g *gatherer) add(p packet.Packet) {
	if g.n == batchLen || g.used+len(p.Data) > len(g.bytes) {
		g.flush()
	}
	if len(p.Data) > len(g.bytes) {
		g.batch[0], g.n = p, 1
		g.flush()
		return
	}
	room := g.bytes[g.used:]
	p.Data = room[:copy(room, p.Data)]
	g.used += len(p.Data)
	g.batch[g.n] = p
	g.n++
}

// flush hands on what has been gathered.
func (g *gatherer) flush() {
	if g.n > 0 {
		g.sink.Packets(g.batch[:g.n])
	}
	g.n, g.used = 0, 0
}
