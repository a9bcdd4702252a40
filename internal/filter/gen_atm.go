package filter

// SunATM's pseudo-header, and the message type of Q.2931 signalling in it.
const (
	sunATMProto       = 0
	sunATMVPI         = 1
	sunATMVCI         = 2
	sunATMPayload     = 4
	sunATMMessageType = sunATMPayload + 5

	// Values of the lower half of the first byte.
	sunATMLANE = 1
	sunATMLLC  = 2
)

// Message types of Q.2931.
const (
	q2931CallProceeding = 0x02
	q2931Setup          = 0x05
	q2931Connect        = 0x07
	q2931ConnectAck     = 0x0f
	q2931Release        = 0x4d
	q2931ReleaseDone    = 0x5a
)

func (g *generator) atmProto(v uint32) *pred {
	return g.bitsAre(baseLink, sunATMProto, v, 0x0f)
}

func (g *generator) isATM(word string) bool {
	if g.outermost != linkSunATM {
		g.failLink("'%s' applies only to raw ATM", word)
	}
	return g.outermost == linkSunATM
}

// atmField compares the virtual path or channel.
func (g *generator) atmField(word string, field uint32, op uint16, negate bool, v uint32) *pred {
	if !g.isATM(word) {
		return g.constant(false)
	}
	if field == atmVPI {
		return g.maskJump(baseLink, sunATMVPI, sizeB, 0xffffffff, op, negate, v)
	}
	return g.maskJump(baseLink, sunATMVCI, sizeH, 0xffffffff, op, negate, v)
}

// atmType tests for a kind of ATM traffic, which is told mostly by channel.
func (g *generator) atmType(word string, kind uint32) *pred {
	if !g.isATM(word) {
		return g.constant(false)
	}
	path0 := func() *pred { return g.cmp(baseLink, sunATMVPI, sizeB, 0) }
	channel := func(v uint32) *pred { return g.cmp(baseLink, sunATMVCI, sizeH, v) }
	circuit := func(v uint32) *pred { return and(path0(), channel(v)) }
	messages := func(types ...uint32) *pred {
		p := g.cmp(baseLink, sunATMMessageType, sizeB, types[0])
		for _, t := range types[1:] {
			p = or(g.cmp(baseLink, sunATMMessageType, sizeB, t), p)
		}
		return p
	}
	switch kind {
	case atmMetac:
		return circuit(1)
	case atmBCC:
		return circuit(2)
	case atmOAMF4SC:
		return circuit(3)
	case atmOAMF4EC:
		return circuit(4)
	case atmSC:
		return circuit(5)
	case atmILMIC:
		return circuit(16)
	case atmOAM, atmOAMF4:
		return and(path0(), or(channel(3), channel(4)))
	case atmConnectMsg:
		return and(circuit(5), messages(q2931CallProceeding, q2931Setup, q2931Connect,
			q2931ConnectAck, q2931Release, q2931ReleaseDone))
	case atmMetaConnect:
		return and(circuit(1), messages(q2931CallProceeding, q2931Setup, q2931Connect,
			q2931Release, q2931ReleaseDone))
	}
	// LANE: Ethernet begins 2 bytes into the payload.
	p := g.atmProto(sunATMLANE)
	hdr := fixed(sunATMPayload + 2)
	g.push(1, hdr)
	g.linkType = fixed(hdr.base + 12)
	g.payload = fixed(hdr.base + 14)
	g.net, g.netNoSNAP = 0, afterLLC
	return p
}
