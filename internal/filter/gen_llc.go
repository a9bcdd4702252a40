package filter

import "github.com/packetcache/packetcache/internal/packet"

// snap tests for a whole LLC and SNAP header with the organization code oui.
func (g *generator) snap(oui, typ uint32) *pred {
	return g.bytesAre(baseLLC, 0, []byte{sapSNAP, sapSNAP, 0x03,
		byte(oui >> 16), byte(oui >> 8), byte(oui), byte(typ >> 8), byte(typ)})
}

const ouiApple = 0x080007

// bothSAPs tests that the destination and the source SAP are t.
func (g *generator) bothSAPs(t uint32) *pred { return g.cmp(baseLLC, 0, sizeH, t<<8|t) }

// isLength says that an Ethernet header has a length where Ethernet II has the
// type, so that LLC follows.
func (g *generator) isLength() *pred { return g.cmpLe(baseType, 0, sizeH, maxLength) }

// typeEthernet tests the type of an Ethernet frame of any of the four kinds:
// Ethernet II, raw 802.3, 802.2 LLC and SNAP.
func (g *generator) typeEthernet(t uint32) *pred {
	etherII := func() *pred { return g.cmp(baseType, 0, sizeH, t) }
	switch t {
	case sapISO, sapIP, sapNetBEUI:
		return and(g.isLength(), g.bothSAPs(t))
	case sapIPX:
		// IPX is found in all four.
		llc := g.cmp(baseLLC, 0, sizeB, sapIPX)
		raw := g.cmp(baseLLC, 0, sizeH, 0xffff)
		inLLC := or(g.snap(0, etherIPX), or(llc, raw))
		return or(g.cmp(baseType, 0, sizeH, etherIPX), and(g.isLength(), inLLC))
	case etherATalk:
		return or(etherII(), and(g.isLength(), g.snap(ouiApple, t)))
	case etherAARP:
		return or(etherII(), and(g.isLength(), g.snap(0, t)))
	}
	if t <= maxLength {
		return and(g.isLength(), g.cmp(baseType, 2, sizeB, t))
	}
	return etherII()
}

// Values of the type field of Linux cooked captures that are no EtherTypes.
const (
	sll8023 = 1 // raw 802.3 frame, which holds IPX
	sll8022 = 4 // LLC follows
)

// typeSLL is typeEthernet for Linux cooked captures.
func (g *generator) typeSLL(t uint32) *pred {
	is := func(v uint32) *pred { return g.cmp(baseType, 0, sizeH, v) }
	switch t {
	case sapISO, sapIP, sapNetBEUI:
		return and(is(sll8022), g.bothSAPs(t))
	case sapIPX:
		inLLC := or(g.cmp(baseLLC, 0, sizeB, sapIPX), g.snap(0, etherIPX))
		return or(is(etherIPX), or(is(sll8023), and(is(sll8022), inLLC)))
	case etherATalk:
		return or(is(t), and(is(sll8022), g.snap(ouiApple, t)))
	case etherAARP:
		return or(is(t), and(is(sll8022), g.snap(0, t)))
	}
	if t <= maxLength {
		return and(is(sll8022), g.cmp(baseLink, g.payload.base, sizeB, t))
	}
	return is(t)
}

// typeLLC tests the type of a frame that always has an LLC header. For an
// EtherType it looks only at the place where SNAP has it: that it would be
// there by accident is unlikely.
func (g *generator) typeLLC(t uint32) *pred {
	switch t {
	case sapIP, sapISO, sapNetBEUI:
		return g.bothSAPs(t)
	case etherATalk:
		return g.snap(ouiApple, t)
	}
	if t <= maxLength {
		return g.cmp(baseLLC, 0, sizeB, t)
	}
	return g.cmp(baseLLC, 6, sizeH, t)
}

// llc tests for a frame with an LLC header.
func (g *generator) llc() *pred {
	switch {
	case g.link == packet.LinkTypeEthernet:
		// Raw 802.3 frames have a length, but IPX where LLC should be.
		return and(g.isLength(), not(g.cmp(baseLLC, 0, sizeH, 0xffff)))
	case g.link == linkSunATM:
		p := g.atmProto(sunATMLLC)
		g.link = g.prevLink
		return p
	case g.link == packet.LinkTypeTokenRing, g.link == packet.LinkTypeFDDI, g.link == linkATMRFC1483:
		return g.constant(true)
	case isWLAN(g.link):
		return g.wlanData()
	}
	return g.failLink("'llc' does not apply to it")
}

// llcI tests for an information frame, which has the lowest bit clear.
func (g *generator) llcI() *pred {
	return and(g.llc(), not(g.bitSet(baseLLC, 2, 0x01)))
}

// llcControl tests bits of the LLC control field.
func (g *generator) llcControl(v, mask uint32) *pred {
	return and(g.llc(), g.bitsAre(baseLLC, 2, v, mask))
}
