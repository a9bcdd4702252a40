package cache

import (
	"math"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// run goes on with the first cursor from a record that has been passed, as long
// as its records come before those of all others, stand in the window, and are
// wanted. Nothing has to be moved or compared for them. It returns how many
// packets it put into batch.
func (r *Reader) run(cur *cursor, batch []packet.Packet) (n int) {
	if cur.stamped || len(cur.order) > 0 {
		return 0
	}
	first, last := r.query.Since, r.others()
	if until := r.query.Until; until < math.MaxInt64 {
		last = min(last, until+1)
	}
	at := int(cur.next - cur.start)
	window := cur.window
	h := cur.header
	for n < len(batch) && at+record.FollowingRoom <= len(window) {
		b := window[at:]
		size := h.Following(b)
		end := at + size + h.Length
		if size == 0 || end > len(window) || h.Time >= last || h.Time < first || r.after && h.Tie&record.Moved != 0 {
			break
		}
		h.Fill(&batch[n], window[at+size:end])
		batch[n].Interface = translate(cur.ids, batch[n].Interface)
		cur.header = h
		cur.offset, cur.dataAt = cur.start+uint32(at), cur.start+uint32(at+size)
		at = end
		n++
	}
	cur.next = cur.start + uint32(at)
	cur.passed += uint16(n)
	r.passed += uint64(n)
	return n
}

// others is the earliest time at which a packet of another segment than the
// first cursor's may come.
func (r *Reader) others() int64 {
	time := int64(math.MaxInt64)
	for _, cur := range r.heap[1:min(3, len(r.heap))] {
		time = min(time, cur.header.Time)
	}
	if n := len(r.todo); n > 0 {
		time = min(time, r.todo[n-1].minTime)
	}
	return time
}
