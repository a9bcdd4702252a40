package session

// fragmentation is what an IP header says about fragments: a first one shows
// the ports, the later ones only the identification.
type fragmentation struct {
	id uint32
	// protocol is what all fragments of a packet name: in IPv6 the header
	// behind the fragment header, in front of TCP or UDP there may be more.
	protocol     uint8
	first, later bool
}

// fragmentSlots is enough for the datagrams that are under way at once on an
// endpoint; more of them push the oldest out.
const fragmentSlots = 256

// A fragmentTable remembers, in a fixed place each, the sessions of first
// fragments, so that the later ones follow them.
type fragmentTable [fragmentSlots]struct {
	used     bool
	kind     Kind
	protocol uint8
	id       uint32
	src, dst addr
	flow     Flow
}

func fragmentSlot(ip ipHeader, id uint32) int {
	h := mix(ip.src.lo^uint64(id)^0x9e3779b97f4a7c15, ip.dst.lo^ip.src.hi^ip.dst.hi^0xbf58476d1ce4e5b9)
	return int(h % fragmentSlots)
}

func (t *fragmentTable) add(ip ipHeader, frag fragmentation, f *Flow) {
	e := &t[fragmentSlot(ip, frag.id)]
	e.used, e.kind, e.protocol, e.id, e.src, e.dst = true, ip.kind, frag.protocol, frag.id, ip.src, ip.dst
	e.flow = *f
	e.flow.tcpFlags = 0 // those of the first fragment have been counted
}

func (t *fragmentTable) find(ip ipHeader, frag fragmentation, f *Flow) bool {
	e := &t[fragmentSlot(ip, frag.id)]
	if !e.used || e.kind != ip.kind || e.id != frag.id || e.protocol != frag.protocol || e.src != ip.src || e.dst != ip.dst {
		return false
	}
	*f = e.flow
	return true
}
