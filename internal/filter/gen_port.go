package filter

import (
	"strconv"
	"strings"
)

// IP protocol numbers (IANA) that the language has words for.
const (
	ipICMP   = 1
	ipIGMP   = 2
	ipTCP    = 6
	ipIGRP   = 9
	ipUDP    = 17
	ipESP    = 50
	ipAH     = 51
	ipICMPv6 = 58
	ipPIM    = 103
	ipVRRP   = 112 // CARP has the same number
	ipSCTP   = 132
)

// A portRange is one or more ports. A range of one port is still tested as a
// range if it was written as one.
type portRange struct {
	lo, hi  uint32
	isRange bool
}

// portProtocols says which protocols a port qualifier looks at.
func (g *generator) portProtocols(q qual) ([]uint32, bool) {
	switch q.proto {
	case protoAny:
		return []uint32{ipTCP, ipUDP, ipSCTP}, true
	case protoTCP:
		return []uint32{ipTCP}, true
	case protoUDP:
		return []uint32{ipUDP}, true
	case protoSCTP:
		return []uint32{ipSCTP}, true
	}
	g.failHint("only tcp, udp and sctp have ports", "'%s' cannot stand before '%s'", q.proto, q.typ)
	return nil, false
}

// ports tests the ports of the given protocols, over IPv4 and IPv6. IPv4
// fragments other than the first have no ports; in IPv6 the transport header
// is looked for directly after the IPv6 header only.
func (g *generator) ports(r portRange, protos []uint32, dir direction) *pred {
	v4 := g.portsIn(etherIP, r, protos, dir)
	return or(g.portsIn(etherIPv6, r, protos, dir), v4)
}

func (g *generator) portsIn(etherTyp uint32, r portRange, protos []uint32, dir direction) *pred {
	typ := g.etherType(etherTyp)
	protoOff, transport := uint32(9), baseIPv4
	if etherTyp == etherIPv6 {
		protoOff, transport = 6, baseIPv6
	}
	at := func(off uint32) *pred {
		if !r.isRange {
			return g.cmp(transport, off, sizeH, r.lo)
		}
		lo := g.cmpGe(transport, off, sizeH, r.lo)
		return and(lo, g.cmpLe(transport, off, sizeH, r.hi))
	}
	one := func(proto uint32) *pred {
		p := g.cmp(baseNet, protoOff, sizeB, proto)
		if etherTyp == etherIP {
			p = and(p, g.firstFragment())
		}
		return and(p, g.bothWays(dir, func() *pred { return at(0) }, func() *pred { return at(2) }))
	}
	p := one(protos[0])
	if len(protos) > 1 {
		p = or(p, one(protos[1]))
	}
	if len(protos) > 2 {
		p = or(one(protos[2]), p)
	}
	return and(typ, p)
}

// firstFragment tests that an IPv4 packet is no fragment, or the first.
func (g *generator) firstFragment() *pred {
	return not(g.test(opJset, 0x1fff, g.loadA(baseNet, 6, sizeH)...))
}

// portName is a port by name; the name says for which protocols.
func (g *generator) portName(name string, q qual) *pred {
	if _, ok := g.portProtocols(q); !ok {
		return g.constant(false)
	}
	s, ok := g.service(name)
	if !ok {
		return g.failHint("write the number instead", "no port is named '%s'", clip(name))
	}
	protos, ok := g.serviceProtocols(name, s, q)
	if !ok {
		return g.constant(false)
	}
	return g.ports(portRange{uint32(s.port), uint32(s.port), false}, protos, q.dir)
}

// service looks up a port's name, which may be a number that was escaped.
func (g *generator) service(name string) (service, bool) {
	if n, err := strconv.ParseUint(name, 10, 16); err == nil {
		return service{uint16(n), true, true}, true
	}
	return lookupService(name)
}

func (g *generator) serviceProtocols(name string, s service, q qual) ([]uint32, bool) {
	if q.proto == protoAny && s.tcp != s.udp {
		if s.tcp {
			return []uint32{ipTCP}, true
		}
		return []uint32{ipUDP}, true
	}
	if s.tcp != s.udp && (q.proto == protoTCP) != s.tcp {
		only := "udp"
		if s.tcp {
			only = "tcp"
		}
		g.failHint("write the number instead", "'%s' is the name of a %s port", clip(name), only)
		return nil, false
	}
	return g.portProtocols(q)
}

// portrangeName is "80-90" or "ftp-data-80" without the dash in the name: the
// first dash divides.
func (g *generator) portrangeName(name string, q qual) *pred {
	if _, ok := g.portProtocols(q); !ok {
		return g.constant(false)
	}
	from, to, dash := strings.Cut(name, "-")
	if !dash {
		return g.failHint("write it as in 80-90", "'%s' is no range of ports", clip(name))
	}
	lo, ok1 := g.service(from)
	hi, ok2 := g.service(to)
	if !ok1 || !ok2 {
		return g.failHint("ports are 0 to 65535 or names", "'%s' is no range of ports", clip(name))
	}
	// Ends that are not of the same protocols stand for all.
	both := service{tcp: lo.tcp, udp: lo.udp}
	if lo.tcp != hi.tcp || lo.udp != hi.udp {
		both.tcp, both.udp = true, true
	}
	protos, ok := g.serviceProtocols(name, both, q)
	if !ok {
		return g.constant(false)
	}
	return g.ports(portRange{uint32(min(lo.port, hi.port)), uint32(max(lo.port, hi.port)), true}, protos, q.dir)
}
