package filter

import (
	"strings"

	"github.com/packetcache/packetcache/internal/packet"
)

// macValue is an Ethernet address with qualifiers.
func (g *generator) macValue(text string, q qual) *pred {
	if q.proto != protoLink || q.typ != typeHost && q.typ != typeAny {
		return g.failHint("write 'ether host', 'ether src' or 'ether dst' before it",
			"'%s' is a hardware address", text)
	}
	return g.mac(parseMAC(text), q.dir)
}

// parseMAC reads any of the forms that macLen measures.
func parseMAC(s string) []byte {
	sep := strings.IndexAny(s, ":-.")
	if sep < 0 || sep == 4 {
		s = strings.ReplaceAll(s, ".", "")
		b := make([]byte, 0, 6)
		for ; len(s) >= 2; s = s[2:] {
			b = append(b, hexValue(s[0])<<4|hexValue(s[1]))
		}
		return b
	}
	b := make([]byte, 0, 6)
	for part := range strings.SplitSeq(s, s[sep:sep+1]) {
		v := hexValue(part[0])
		if len(part) > 1 {
			v = v<<4 | hexValue(part[1])
		}
		b = append(b, v)
	}
	return b
}

// mac tests the hardware addresses of link types that have them.
func (g *generator) mac(addr []byte, dir direction) *pred {
	if isWLAN(g.link) {
		return g.wlanHost(addr, dir)
	}
	src, dst, ok := macOffsets(g.link)
	if !ok {
		return g.failLink("it has no Ethernet addresses")
	}
	if dir > dirAnd {
		return g.failLink("'%s' applies only to 802.11", dir)
	}
	p := g.bothWays(dir,
		func() *pred { return g.bytesAre(baseLink, src, addr) },
		func() *pred { return g.bytesAre(baseLink, dst, addr) })
	if check := g.encapsulationCheck(); check != nil && isEthernet(g.link) {
		p = and(check, p)
	}
	return p
}

// macOffsets says where the addresses stand in the link-layer header.
func macOffsets(lt packet.LinkType) (src, dst uint32, ok bool) {
	switch {
	case isEthernet(lt):
		return 6, 0, true
	case lt == packet.LinkTypeFDDI:
		return 7, 1, true
	case lt == packet.LinkTypeTokenRing:
		return 8, 2, true
	case lt == packet.LinkTypeIPoverFC:
		return 10, 2, true
	}
	return 0, 0, false
}

// arcnetValue is an ARCNET address, $ and one byte, with qualifiers.
func (g *generator) arcnetValue(text string, q qual) *pred {
	if q.proto != protoLink || q.typ != typeHost && q.typ != typeAny {
		return g.failHint("write 'link host' before it", "'%s' is an ARCNET address", text)
	}
	if !isARCNET(g.link) {
		return g.failLink("it has no ARCNET addresses")
	}
	v := hexValue(text[1])
	if len(text) > 2 {
		v = v<<4 | hexValue(text[2])
	}
	return g.arcnetHost(v, q.dir)
}

func (g *generator) arcnetHost(addr byte, dir direction) *pred {
	if dir > dirAnd {
		return g.failLink("'%s' applies only to 802.11", dir)
	}
	return g.bothWays(dir,
		func() *pred { return g.cmp(baseLink, 0, sizeB, uint32(addr)) },
		func() *pred { return g.cmp(baseLink, 1, sizeB, uint32(addr)) })
}

// broadcast tests for packets to all hosts of the link or, for IP, of the
// network. The network's own broadcast address is not known here; as tcpdump
// does with a file, all zeros and all ones are taken.
func (g *generator) broadcast(pr proto) *pred {
	switch pr {
	case protoAny, protoLink:
		if isARCNET(g.link) {
			return g.arcnetHost(0, dirDst)
		}
		if _, _, ok := macOffsets(g.link); !ok && !isWLAN(g.link) {
			return g.failLink("it has no broadcasts")
		}
		return g.mac([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, dirDst)
	case protoIP:
		ip := g.etherType(etherIP)
		zeros := g.cmp(baseNet, 16, sizeW, 0)
		return and(ip, or(zeros, g.cmp(baseNet, 16, sizeW, 0xffffffff)))
	}
	return g.fail("'%s broadcast' does not exist; there are 'ether broadcast' and 'ip broadcast'", pr)
}

// multicast tests for packets to a group; broadcasts count, too.
func (g *generator) multicast(pr proto) *pred {
	switch pr {
	case protoAny, protoLink:
		if isARCNET(g.link) {
			return g.arcnetHost(0, dirDst)
		}
		if isWLAN(g.link) {
			return g.wlanDst(func(off uint32) *pred { return g.bitSet(baseLink, off, 1) })
		}
		_, dst, ok := macOffsets(g.link)
		if !ok {
			return g.failLink("it has no multicasts")
		}
		p := g.bitSet(baseLink, dst, 1)
		if check := g.encapsulationCheck(); check != nil && isEthernet(g.link) {
			p = and(check, p)
		}
		return p
	case protoIP:
		return and(g.etherType(etherIP), g.cmpGe(baseNet, 16, sizeB, 224))
	case protoIPv6:
		return and(g.etherType(etherIPv6), g.cmp(baseNet, 24, sizeB, 255))
	}
	return g.fail("'%s multicast' does not exist; there are 'ether multicast', 'ip multicast' and 'ip6 multicast'", pr)
}
