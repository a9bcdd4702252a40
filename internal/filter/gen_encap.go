package filter

import "github.com/packetcache/packetcache/internal/packet"

// push makes inner, beginning at hdr, the link layer that later words refer to.
func (g *generator) push(inner packet.LinkType, hdr offset) {
	if !g.pushed {
		g.outerLinkHdr, g.outerPayload = g.linkHdr, g.payload
	}
	g.pushed = true
	g.prevLink, g.prevLinkHdr = g.link, g.linkHdr
	g.link, g.linkHdr = inner, hdr
	g.inGeneve = false
}

// encapsulationCheck returns what must be tested before an Ethernet header
// inside another protocol can be looked at, or nil.
func (g *generator) encapsulationCheck() *pred {
	switch {
	case g.inGeneve:
		return g.geneveHasEthernet()
	case g.prevLink == linkSunATM:
		// A LANE frame that begins so is a control frame.
		return not(g.cmp(basePrevLink, sunATMPayload, sizeH, 0xff00))
	}
	return nil
}

const vlanTagLen = 4

// vlan tests for a VLAN tag, with the given number if one is given, and moves
// what follows behind the tag.
func (g *generator) vlan(id uint32, given bool) *pred {
	if g.mplsDepth > 0 {
		return g.fail("'vlan' cannot follow 'mpls'")
	}
	if given && id > 0xfff {
		return g.fail("%d is no VLAN: VLANs are 0 to 4095", id)
	}
	var p *pred
	switch {
	case isEthernet(g.link), isWLAN(g.link) && g.link != packet.LinkTypePPI:
		p = g.vlanTag()
		p.known = g.knowTag()
		if given {
			p = and(p, g.vlanID(id))
		}
		g.payload.base += vlanTagLen
		g.linkType.base += vlanTagLen
	default:
		return g.failLink("it has no VLAN tags")
	}
	g.vlanDepth++
	return p
}

// vlanTag tests for any of the EtherTypes that announce a tag.
func (g *generator) vlanTag() *pred {
	p := g.etherType(etherVLAN)
	p = or(p, g.etherType(etherQinQ))
	return or(p, g.etherType(etherOldQinQ))
}

func (g *generator) vlanID(id uint32) *pred {
	return g.maskCmp(baseNet, 0, sizeH, id, 0xfff)
}

const mplsLabelLen = 4

// mpls tests for an MPLS label, with the given number if one is given, and
// moves what follows behind the label.
func (g *generator) mpls(label uint32, given bool) *pred {
	if given && label > 0xfffff {
		return g.fail("%d is no MPLS label: labels are 0 to 1048575", label)
	}
	var p *pred
	switch {
	case g.mplsDepth > 0:
		// The label before must not be the last.
		p = g.bitsAre(basePrevMPLS, 2, 0, 0x01)
	case isEthernet(g.link), g.link == packet.LinkTypeCHDLC, g.link == linkNetBSDHDLC:
		p = g.etherType(etherMPLS)
	case g.link == packet.LinkTypePPP:
		p = g.etherType(pppMPLS)
	default:
		return g.failLink("'mpls' does not apply to it")
	}
	if given {
		p = and(p, g.maskCmp(baseNet, 0, sizeW, label<<12, 0xfffff000))
	}
	g.netNoSNAP += mplsLabelLen
	g.net += mplsLabelLen
	g.mplsDepth++
	return p
}

// pppoeDiscovery tests for PPPoE discovery (RFC 2516).
func (g *generator) pppoeDiscovery() *pred { return g.etherType(etherPPPoED) }

// pppoeSession tests for a PPPoE session, with the given number if one is
// given, and makes the PPP packet in it what follows refers to.
func (g *generator) pppoeSession(id uint32, given bool) *pred {
	if given && id > 0xffff {
		return g.fail("%d is no PPPoE session: sessions are 0 to 65535", id)
	}
	p := g.etherType(etherPPPoES)
	if given {
		p = and(p, g.maskCmp(baseNet, 0, sizeW, id, 0xffff))
	}
	const headerLen, protocolLen = 6, 2
	g.push(packet.LinkTypePPP, offset{
		base: g.payload.base + g.net + headerLen, variable: g.payload.variable, reg: g.payload.reg})
	// There is no HDLC framing: PPP begins with the protocol.
	g.linkType = g.linkHdr
	g.payload.base = g.linkHdr.base + protocolLen
	g.net, g.netNoSNAP = 0, 0
	return p
}
