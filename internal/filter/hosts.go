package filter

import (
	"net/netip"
	"slices"
)

// Bounds on what Hosts returns: more addresses would single out little, and
// each costs time wherever they are looked for.
const (
	maxHosts    = 256 // in a set
	maxHostSets = 8
)

// Hosts returns sets of addresses: a packet that the expression matches has, of
// each set, an address where the header of IP, ARP or RARP has its two, behind
// the link-layer header and any VLAN tags. Without sets it can be any packet.
// The caller must not change them.
func (e *Expr) Hosts() [][]netip.Addr { return e.hosts }

// A knowledge is what follows for a packet if a condition holds for it: that it
// has certain VLAN tags, and of each set an address.
type knowledge struct {
	tags tagSet
	sets []hostSet
}

// A hostSet is addresses of which a packet has one, provided that it has the
// tags behind which the condition looked for it.
type hostSet struct {
	addrs  []netip.Addr
	behind tagSet
}

// A tagSet has bit n set for the VLAN tag behind n others.
type tagSet uint64

const maxTags = 64

// knowHost is what is known where addr was found. Behind what is not a VLAN tag
// nobody looks for addresses.
func (g *generator) knowHost(addr netip.Addr) *knowledge {
	if g.pushed || g.mplsDepth > 0 || g.vlanDepth >= maxTags {
		return nil
	}
	return &knowledge{sets: []hostSet{{[]netip.Addr{addr}, 1<<g.vlanDepth - 1}}}
}

// knowTag is what is known where the next VLAN tag was found.
func (g *generator) knowTag() *knowledge {
	if g.pushed || g.vlanDepth >= maxTags {
		return nil
	}
	return &knowledge{tags: 1 << g.vlanDepth}
}

// hosts is what is known for certain of the addresses if p holds.
func (p *pred) hosts() (sets [][]netip.Addr) {
	for _, set := range p.learn().sets {
		if set.behind == 0 {
			sets = append(sets, set.addrs)
		}
	}
	return sets
}

// learn puts together what is known if p holds. Like link it recurses on the
// right side only.
func (p *pred) learn() knowledge {
	var chain []*pred
	for p.known == nil && (p.kind == predAnd || p.kind == predOr) {
		chain = append(chain, p)
		p = p.a
	}
	var k knowledge // nothing, if p is something else
	if p.known != nil {
		k = *p.known
	}
	for _, p := range slices.Backward(chain) {
		if p.kind == predAnd {
			k = k.and(p.b.learn())
		} else {
			k = k.or(p.b.learn())
		}
	}
	return k
}

func (k knowledge) and(other knowledge) knowledge {
	k.tags |= other.tags
	k.sets = slices.Concat(k.sets, other.sets)
	k.sets = k.sets[:min(len(k.sets), maxHostSets)]
	for i := range k.sets {
		k.sets[i].behind &^= k.tags
	}
	return k
}

// or unites the sets in pairs: of the first with the first, and so on, as people
// write "host A and host B or host A and host C".
func (k knowledge) or(other knowledge) knowledge {
	either := knowledge{tags: k.tags & other.tags}
	if len(k.sets) == 0 || len(other.sets) == 0 {
		return either
	}
	for i := range max(len(k.sets), len(other.sets)) {
		a, b := k.sets[min(i, len(k.sets)-1)], other.sets[min(i, len(other.sets)-1)]
		union := slices.Concat(a.addrs, b.addrs)
		slices.SortFunc(union, netip.Addr.Compare)
		if union = slices.Compact(union); len(union) <= maxHosts {
			either.sets = append(either.sets, hostSet{union, a.behind | b.behind})
		}
	}
	return either
}
