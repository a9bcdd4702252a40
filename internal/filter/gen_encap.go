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
	case g.mode == modeKernel && isEthernet(g.link) && g.vlanDepth == 0 && !g.pushed:
		p = g.vlanBeside(id, given)
	case isEthernet(g.link), isWLAN(g.link) && g.link != packet.LinkTypePPI:
		p = g.vlanTag()
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

// vlanBeside tests for the outer VLAN tag where the kernel has taken it out of
// the packet and put it beside it, which it does for most but not all drivers.
// If there is none beside it, what follows is looked for behind a tag in the
// packet, whether it has one or not, as everywhere; so by how much later
// offsets shift is known only when the program runs. Two scratch words hold it.
func (g *generator) vlanBeside(id uint32, given bool) *pred {
	present := func(want uint32) *pred {
		return g.test(opJeq, want, newStmt(clsLd|modeAbs|sizeB, skfVLANTagPresent))
	}
	beside, absent, inside := present(1), present(0), g.vlanTag()
	if given {
		beside = and(beside, g.test(opJeq, id,
			newStmt(clsLd|modeAbs|sizeH, skfVLANTag), newStmt(clsALU|aluAnd, 0xfff)))
		inside = and(inside, g.vlanID(id))
	}
	// Merging paths leave different values in the scratch words, which the
	// optimizer does not follow.
	g.asIs = true
	shift := []*stmt{newStmt(opLdImm, vlanTagLen)}
	for _, o := range []*offset{&g.payload, &g.linkType} {
		o.variable, o.reg = true, g.allocReg()
		g.zeroed = append(g.zeroed, o.reg)
		shift = append(shift, newStmt(opSt, uint32(o.reg)))
	}
	shifted := g.constant(true)
	shifted.leaf.stmts = append(shift, shifted.leaf.stmts...)
	return or(beside, and(and(absent, shifted), inside))
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
