package session

// An Event is what makes a visit more than a count.
type Event uint8

// The events.
const (
	// Usual: a packet of a session that is known.
	Usual Event = iota
	// Began: the session's first packet.
	Began
	// Waits: another one of a session with which SetPending left a position, and
	// none that would show that there is a session.
	Waits
	// Resumed: the first one that does; Pending has the positions.
	Resumed
)

// MaxWaiting is how many bytes of a session can wait, in front of the last
// packet that does; that one has at most as many.
const MaxWaiting = 1024

// Pending is what waited of a session that is resumed.
type Pending struct {
	// Positions are that of the first packet and that of the first one from the
	// other side, or NoPosition.
	Positions [2]uint64
	// First and Last are the ticks of the first and the last packet; More says
	// that there are more than those two.
	First, Last uint32
	More        bool
}

// NoPosition is none.
const NoPosition = countMask

// rare flags make Visit look closer.
const rare = flagClosed | flagMidstream | flagRestarts | flagPending

// Visit counts a packet of length bytes, seen at tick now, for the session of
// f. Slot is what Find returned for f.Hash, however long ago. It returns
// where the session stands and how many of its bytes came before this packet.
func (t *Table) Visit(f *Flow, slot int, now, length uint32) (at int, offset uint64, event Event) {
	if uint(slot) >= uint(len(t.hot)) || !t.is(slot, f.Hash) {
		return t.visitRare(f, slot, now, length)
	}
	h := &t.hot[slot]
	if h.bytes[0]&rare != 0 || f.tcpFlags&(tcpFIN|tcpRST) != 0 || now-h.last > ticksOther {
		return t.visitRare(f, slot, now, length)
	}
	offset = h.bytes[0]&countMask + h.bytes[1]
	h.count(f, now, length)
	return slot, offset, Usual
}

// visitRare is Visit for any packet.
func (t *Table) visitRare(f *Flow, slot int, now, length uint32) (at int, offset uint64, event Event) {
	if slot < 0 || !t.is(slot, f.Hash) {
		if slot = t.search(f.Hash); slot < 0 {
			slot = t.freeSlot(f.Hash, now)
			return slot, t.begin(f, slot, now, length), Began
		}
	}
	h := &t.hot[slot]
	if h.idle(now) || h.bytes[0]&rare != 0 && t.ended(slot, f, now) {
		t.retire(slot)
		return slot, t.begin(f, slot, now, length), Began
	}
	if h.bytes[0]&flagPending != 0 {
		if offset = t.waiting(slot); f.Opening() && offset < MaxWaiting && length <= MaxWaiting {
			t.wait(f, slot, now, length)
			return slot, offset, Waits
		}
		t.resume(slot)
		event = Resumed
	}
	offset = h.bytes[0]&countMask + h.bytes[1]&countMask
	if h.bytes[0]&flagMidstream != 0 {
		offset += MidstreamOffset
	}
	if f.tcpFlags&(tcpFIN|tcpRST) != 0 {
		h.bytes[0] |= flagClosed
	}
	h.count(f, now, length)
	return slot, offset, event
}

// count adds a packet to the side that it came from.
func (h *hot) count(f *Flow, now, length uint32) {
	side := f.side()
	h.packets[side]++               // wraps after 2^32, which the bytes tell
	h.bytes[side] += uint64(length) // 2^48 bytes take an hour at 600 Gbit/s
	h.last = now
}

// waiting is how many bytes of a pending session wait.
func (t *Table) waiting(slot int) uint64 {
	h, c := &t.hot[slot], &t.cold[slot]
	if h.bytes[0]&flagBoth != 0 {
		return uint64(c.bytes[0]) + uint64(c.bytes[1])
	}
	return h.bytes[1-h.silent()] & countMask
}

// wait counts a packet of a pending session that waits with the first one.
func (t *Table) wait(f *Flow, slot int, now, length uint32) {
	h, c := &t.hot[slot], &t.cold[slot]
	side, silent := f.side(), h.silent()
	if side == silent && h.bytes[0]&flagBoth == 0 {
		// The first packet's position makes room for this one's.
		c.bytes[1-silent] = uint16(h.bytes[1-silent])
		h.bytes[1-silent] = h.bytes[1-silent]&^countMask | h.bytes[silent]&countMask
		h.bytes[silent] |= NoPosition
		h.bytes[0] |= flagBoth
	}
	if h.bytes[0]&flagBoth != 0 {
		c.bytes[side] += uint16(length)
	} else {
		h.bytes[side] += uint64(length)
	}
	h.packets[side]++
	h.last = now
	if f.tcpFlags&tcpRST != 0 {
		h.bytes[0] |= flagClosed
	}
}

// resume takes the positions out of a pending session.
func (t *Table) resume(slot int) {
	h, c := &t.hot[slot], &t.cold[slot]
	silent := h.silent()
	t.pending = Pending{
		Positions: [2]uint64{h.bytes[silent] & countMask, NoPosition},
		First:     c.first, Last: h.last,
	}
	known := uint32(1)
	if h.bytes[0]&flagBoth != 0 {
		t.pending.Positions = [2]uint64{h.bytes[1-silent] & countMask, h.bytes[silent] & countMask}
		known = 2
		h.bytes[1-silent] = h.bytes[1-silent]&^countMask | uint64(c.bytes[1-silent])
	}
	t.pending.More = h.packets[0]+h.packets[1] > known
	h.bytes[silent] = h.bytes[silent]&^countMask | uint64(c.bytes[silent])
	h.bytes[0] &^= flagPending | flagBoth
}

// SetPending leaves a position of 48 bits with a session, for f, a packet that
// has just begun it or that waits. That of the first one from each side stays.
func (t *Table) SetPending(slot int, f *Flow, position uint64) {
	h := &t.hot[slot]
	silent := h.silent()
	switch {
	case h.bytes[0]&flagPending == 0:
		h.bytes[silent] |= position & countMask
		h.bytes[0] |= flagPending
	case f.side() == silent && h.bytes[silent]&countMask == NoPosition:
		h.bytes[silent] = h.bytes[silent]&^countMask | position&countMask
	}
}

// Pending is what waited of the session that Visit has just reported as resumed.
func (t *Table) Pending() *Pending { return &t.pending }

// SetRule notes the number of the rule that the session in a slot is under, at
// most MaxRule; 0, with which a session begins, is none.
func (t *Table) SetRule(slot int, rule uint8) {
	h := &t.hot[slot]
	h.bytes[0] = h.bytes[0]&^ruleMask | uint64(rule)<<ruleShift
}

// Rule is the number that SetRule noted.
func (t *Table) Rule(slot int) uint8 { return uint8(t.hot[slot].bytes[0] >> ruleShift) }

// RenumberRules gives all sessions under a rule the number that stands at the
// old one. The time it takes grows with the table: about
// 10 ns a place.
func (t *Table) RenumberRules(numbers *[MaxRule + 1]uint8) {
	for slot := range t.hot {
		if old := t.Rule(slot); old > 0 {
			t.SetRule(slot, numbers[old])
		}
	}
}

// side is that which the packet came from.
func (f *Flow) side() int {
	if f.Reverse {
		return 1
	}
	return 0
}

// silent is the side from which the first packet did not come.
func (h *hot) silent() int {
	if h.bytes[0]&flagFromB != 0 {
		return 0
	}
	return 1
}

// ended reports whether f, a packet with the addresses of the session in
// slot, begins another one.
func (t *Table) ended(slot int, f *Flow, now uint32) bool {
	if t.hot[slot].bytes[0]&flagRestarts != 0 {
		return now-t.cold[slot].first >= ticksRestart
	}
	return t.hot[slot].bytes[0]&flagClosed != 0 && f.tcpFlags&(tcpSYN|tcpACK) == tcpSYN
}

// idle reports whether the session has shown no packet for too long.
func (h *hot) idle(now uint32) bool {
	limit := ticksOther
	if h.bytes[0]&flagTCP != 0 {
		limit = ticksTCP
	}
	return now-h.last > limit
}

// begin writes a session's first packet into a slot and returns its offset.
func (t *Table) begin(f *Flow, slot int, now, length uint32) (offset uint64) {
	side, flags := 0, uint64(0)
	if f.Reverse {
		side, flags = 1, flagFromB
	}
	if f.restarts {
		flags |= flagRestarts
	}
	if f.tcp {
		flags |= flagTCP
		if f.tcpFlags&(tcpFIN|tcpRST) != 0 {
			flags |= flagClosed
		}
		if f.tcpFlags&tcpSYN == 0 && t.gaveUp && now-t.gaveUpLast <= ticksPressure {
			flags |= flagMidstream
			offset = MidstreamOffset
		}
	}
	h := hot{fingerprint: fingerprintOf(f.Hash), last: now}
	h.packets[side] = 1
	h.bytes[side] = uint64(length)
	h.bytes[0] |= flags
	t.hot[slot], t.cold[slot], t.tags[slot] = h, cold{key: f.Key, first: now}, tagOf(f.Hash)
	t.live++
	t.seen++
	return offset
}

// freeSlot finds room in the bucket of hash: a free slot, else that of the
// session which is worth least.
func (t *Table) freeSlot(hash uint64, now uint32) int {
	base := t.bucket(hash)
	first := int(home(hash) * lanes)
	for i := range ways {
		if slot := base + (first+i)%ways; t.tags[slot] == 0 {
			return slot
		}
	}
	victim, worst := base, uint64(0)
	for slot := base; slot < base+ways; slot++ {
		if score := t.hot[slot].dispensable(now); score > worst {
			victim, worst = slot, score
		}
	}
	t.giveUp(worst, now)
	t.retire(victim)
	return victim
}

// unanswered says that nothing shows that there is a session.
func (h *hot) unanswered() bool {
	return h.bytes[0]&flagPending != 0 || h.packets[0]+h.packets[1] == 1
}

// dispensable is higher for what is worth less: ended before unanswered before
// closed before live; within each, idle longest.
func (h *hot) dispensable(now uint32) uint64 {
	score := uint64(now-h.last) + 1
	switch {
	case h.idle(now):
		score |= 1 << 35
	case h.unanswered():
		score |= 1 << 34
	case h.bytes[0]&flagClosed != 0:
		score |= 1 << 33
	}
	return score
}

// giveUp counts a session that has to go for want of room, if it is live.
func (t *Table) giveUp(score uint64, now uint32) {
	if score>>34 == 0 { // answered, and not idle
		t.givenUp++
		t.gaveUp, t.gaveUpLast = true, now
	}
}

// retire leaves a summary of the session in slot and frees it.
func (t *Table) retire(slot int) {
	t.sumUp(&t.hot[slot], &t.cold[slot])
	t.tags[slot] = 0
}

// sumUp leaves a summary of a session that leaves the table. Those that nobody
// answered leave none: their packets would say as much, and a scan would wash
// the others out.
func (t *Table) sumUp(h *hot, c *cold) {
	if !h.unanswered() {
		t.summaries.push(summarize(h, c))
	}
	t.live--
}
