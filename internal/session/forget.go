package session

// Forget wipes the table a little at a time, so that others can use it meanwhile:
// first the sessions, which begin anew with their next packet, then the summaries.
// At is how far it has come, 0 at first, n how many entries it looks at. It returns
// where to go on, and whether there is more.
func (t *Table) Forget(at, n int) (next int, more bool) {
	slots := len(t.tags)
	if at < slots {
		next = min(at+n, slots)
		for _, tag := range t.tags[at:next] {
			if tag != 0 {
				t.live--
			}
		}
		clear(t.tags[at:next])
		clear(t.hot[at:next])
		clear(t.cold[at:next])
		return next, true
	}
	// From the last one down, since new ones come at the front.
	if at == slots {
		t.pending = Pending{}
		t.summaries.pushed = 0
	}
	all := t.summaries.slots
	end := len(all) - (at - slots)
	begin := max(end-n, t.summaries.len())
	if begin >= end {
		return at, false
	}
	clear(all[begin:end])
	return slots + len(all) - begin, begin > t.summaries.len()
}
