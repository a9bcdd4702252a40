package trace

import (
	"errors"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// A Session is a conversation of a trace.
type Session struct {
	// Talk says that it is one of TCP or UDP.
	Talk bool
	// Packets is how many it has.
	Packets int
	// Begun is the time of its first packet; see numberer.
	Begun int64
}

// A numberer numbers the sessions of a trace in the order of their beginning.
// It takes the table of the cache, with room for all sessions, so that a
// session is what the cache takes for one, and nothing depends on how much
// memory a cache has for its own table.
//
// Its clock is the newest time seen: it stands still while timestamps are older.
type numberer struct {
	table   *session.Table
	decoder *session.Decoder
	bySlot  map[int]int
	first   int64
	now     int64
}

func newNumberer() (*numberer, error) {
	const slots, room = 1 << 16, 128 // far more than are ever live
	table, err := session.NewTable(make([]byte, slots*room), make([]byte, 1<<20))
	if err != nil {
		return nil, err
	}
	return &numberer{table: table, decoder: session.NewDecoder(), bySlot: map[int]int{}}, nil
}

// number appends the session of a packet to sessions if it has just begun, and
// returns its number, and how many of its bytes came before the packet.
func (n *numberer) number(sessions []Session, link packet.LinkType, p *packet.Packet) (_ []Session, at int, offset uint64) {
	if len(sessions) == 0 {
		n.first, n.now = p.Time, p.Time
	}
	n.now = max(n.now, p.Time)
	var f session.Flow
	n.decoder.Decode(link, p.Data, &f)
	tick := uint32(uint64(n.now-n.first) / uint64(session.Tick))
	slot, offset, event := n.table.Visit(&f, n.table.Find(f.Hash), tick, max(p.OrigLen, uint32(len(p.Data))))
	if event == session.Began {
		n.bySlot[slot] = len(sessions)
		a, b := f.Key.Ports()
		sessions = append(sessions, Session{Talk: a != 0 || b != 0, Begun: n.now})
	}
	at = n.bySlot[slot]
	sessions[at].Packets++
	return sessions, at, offset
}

// check reports whether the numbers are right.
func (n *numberer) check() error {
	if n.table.Stats().GivenUp != 0 {
		return errors.New("more sessions are live at once than can be told apart")
	}
	return nil
}
