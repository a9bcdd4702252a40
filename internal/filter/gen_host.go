package filter

import "net/netip"

const ipv6HeaderLen = 40

// host tests IPv4 addresses, and those in ARP and RARP for IPv4.
func (g *generator) host(addr, mask uint32, q qual) *pred {
	switch q.proto {
	case protoAny:
		p := g.hostIn(etherIP, 12, 16, addr, mask, q.dir)
		if g.mplsDepth == 0 {
			p = or(p, g.hostIn(etherARP, 14, 24, addr, mask, q.dir))
			p = or(p, g.hostIn(etherRARP, 14, 24, addr, mask, q.dir))
		}
		return p
	case protoIP:
		return g.hostIn(etherIP, 12, 16, addr, mask, q.dir)
	case protoARP:
		return g.hostIn(etherARP, 14, 24, addr, mask, q.dir)
	case protoRARP:
		return g.hostIn(etherRARP, 14, 24, addr, mask, q.dir)
	case protoDECnet:
		return g.decnetHost(addr, q.dir)
	case protoIPv6:
		return g.fail("'ip6' does not go with an IPv4 address")
	}
	return g.badHostProto(q)
}

// badHostProto is the error for a protocol that has no host addresses.
func (g *generator) badHostProto(q qual) *pred {
	what := "host"
	if q.typ == typeNet {
		what = "net"
	}
	return g.failHint("write '"+q.proto.String()+" and "+what+" ...'",
		"'%s' cannot stand directly before '%s'", q.proto, what)
}

// hostIn tests the addresses at two offsets of the header that follows typ.
func (g *generator) hostIn(typ, src, dst, addr, mask uint32, dir direction) *pred {
	one := func(off uint32) *pred {
		p := and(g.etherType(typ), g.maskCmp(baseNet, off, sizeW, addr, mask))
		if mask == 0xffffffff {
			p.known = g.knowHost(ipv4Addr(addr))
		}
		return p
	}
	return g.bothWays(dir, func() *pred { return one(src) }, func() *pred { return one(dst) })
}

// bothWays joins the tests of source and destination as the direction says.
func (g *generator) bothWays(dir direction, src, dst func() *pred) *pred {
	switch dir {
	case dirSrc:
		return src()
	case dirDst:
		return dst()
	case dirAnd:
		s := src()
		return and(s, dst())
	case dirAny, dirOr:
		s := src()
		return or(s, dst())
	}
	return g.fail("'%s' goes only with 802.11 hardware addresses", dir)
}

// host6 tests IPv6 addresses.
func (g *generator) host6(addr netip.Addr, prefix int, q qual) *pred {
	switch q.proto {
	case protoAny, protoIPv6:
	case protoIP, protoARP, protoRARP, protoLink, protoDECnet:
		return g.fail("'%s' does not go with an IPv6 address", q.proto)
	default:
		return g.badHostProto(q)
	}
	var mask [16]byte
	for i := range mask {
		mask[i] = 0xff
	}
	mask = maskIPv6(netip.AddrFrom16(mask), prefix).As16()
	a := addr.As16()
	word := func(b [16]byte, i uint32) uint32 {
		return uint32(b[i])<<24 | uint32(b[i+1])<<16 | uint32(b[i+2])<<8 | uint32(b[i+3])
	}
	one := func(off uint32) *pred {
		part := func(i uint32) *pred {
			return g.maskCmp(baseNet, off+i, sizeW, word(a, i), word(mask, i))
		}
		p := part(12)
		for _, i := range []uint32{8, 4, 0} {
			p = and(part(i), p)
		}
		p = and(g.etherType(etherIPv6), p)
		if prefix == 128 {
			p.known = g.knowHost(addr)
		}
		return p
	}
	return g.bothWays(q.dir, func() *pred { return one(8) }, func() *pred { return one(24) })
}

// decnetHost tests the node addresses of DECnet phase IV data packets, which
// come with a long or a short header and with or without a byte of padding.
// Numbers in DECnet are little endian.
func (g *generator) decnetHost(addr uint32, dir direction) *pred {
	node := addr&0xff<<8 | addr>>8&0xff
	one := func(short, long uint32) *pred {
		typ := g.etherType(etherDECnet)
		at := func(flag *pred, off uint32) *pred {
			return and(flag, g.cmp(baseNet, off, sizeH, node))
		}
		p := at(g.maskCmp(baseNet, 2, sizeH, 0x8106, 0xff07), 3+long)
		p = or(at(g.bitsAre(baseNet, 2, 0x06, 0x07), 2+long), p)
		p = or(at(g.maskCmp(baseNet, 2, sizeH, 0x8102, 0xff07), 3+short), p)
		p = or(at(g.bitsAre(baseNet, 2, 0x02, 0x07), 2+short), p)
		return and(typ, p)
	}
	return g.bothWays(dir, func() *pred { return one(3, 15) }, func() *pred { return one(1, 7) })
}
