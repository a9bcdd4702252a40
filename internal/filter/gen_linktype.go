package filter

import "github.com/packetcache/packetcache/internal/packet"

// EtherTypes (IEEE registry) that the language has words for.
const (
	etherIP       = 0x0800
	etherARP      = 0x0806
	etherMOPDL    = 0x6001
	etherMOPRC    = 0x6002
	etherDECnet   = 0x6003
	etherLAT      = 0x6004
	etherSCA      = 0x6007
	etherTEB      = 0x6558 // transparent Ethernet bridging
	etherNS       = 0x0600
	etherRARP     = 0x8035
	etherATalk    = 0x809b
	etherAARP     = 0x80f3
	etherVLAN     = 0x8100
	etherIPX      = 0x8137
	etherIPv6     = 0x86dd
	etherMPLS     = 0x8847
	etherPPPoED   = 0x8863
	etherPPPoES   = 0x8864
	etherQinQ     = 0x88a8
	etherLoopback = 0x9000
	etherOldQinQ  = 0x9100

	// maxLength is the greatest length in an 802.3 header: greater numbers in
	// its place are EtherTypes, and numbers up to it stand for SAPs here.
	maxLength = 1500
)

// SAPs of 802.2 LLC.
const (
	sapIP      = 0x06
	sapSTP     = 0x42
	sapSNAP    = 0xaa
	sapIPX     = 0xe0
	sapNetBEUI = 0xf0
	sapISO     = 0xfe
)

// NLPIDs of ISO/IEC TR 9577, and RFC 2427 for IP over frame relay.
const (
	nlpidCLNP = 0x81
	nlpidESIS = 0x82
	nlpidISIS = 0x83
)

// Address families in loopback headers. All systems agree on IPv4 only.
const (
	afINET         = 2
	afINET6BSD     = 24 // NetBSD, OpenBSD, Npcap
	afINET6FreeBSD = 28
	afINET6Darwin  = 30
	afINET6Solaris = 26
)

// etherType tests for a network-layer protocol, given as an EtherType or, up
// to maxLength, as a SAP, in whatever way the link type expresses it.
func (g *generator) etherType(t uint32) *pred {
	if g.mplsDepth > 0 {
		return g.typeAfterMPLS(t)
	}
	switch lt := g.link; {
	case isEthernet(lt):
		p := g.typeEthernet(t)
		// Geneve has an EtherType whether or not an Ethernet header follows.
		if check := g.encapsulationCheck(); check != nil && !g.inGeneve {
			p = and(check, p)
		}
		return p
	case isWLAN(lt):
		return and(g.wlanData(), g.typeLLC(t))
	case isARCNET(lt):
		return g.typeARCNET(t)
	case isJuniper(lt):
		// The encapsulation can't be told from the header; make sure at least
		// that there is one.
		return g.maskCmp(baseLink, 0, sizeW, 0x4d474300, 0xffffff00)
	}
	switch g.link {
	case packet.LinkTypeFDDI, packet.LinkTypeTokenRing, packet.LinkTypeIPoverFC, linkATMRFC1483, linkATMCLIP:
		return g.typeLLC(t)
	case linkSunATM:
		return and(g.atmProto(sunATMLLC), g.typeLLC(t))
	case packet.LinkTypeLinuxSLL:
		return g.typeSLL(t)
	case packet.LinkTypeCHDLC, linkNetBSDHDLC:
		if t == sapISO {
			t = sapISO<<8 | sapISO
		}
		return g.cmp(baseType, 0, sizeH, t)
	case packet.LinkTypePPP, linkPPPD, packet.LinkTypePPPHDLC, packet.LinkTypePPPEther:
		return g.cmp(baseType, 0, sizeH, pppProtocol(t))
	case linkPPPBSDOS:
		if t == etherIP {
			return or(or(g.cmp(baseType, 0, sizeH, pppIP), g.cmp(baseType, 0, sizeH, pppVJCompressed)),
				g.cmp(baseType, 0, sizeH, pppVJUncompressed))
		}
		return g.cmp(baseType, 0, sizeH, pppProtocol(t))
	case packet.LinkTypeSLIP, linkSLIPBSDOS, packet.LinkTypeRaw:
		return g.typeByVersion(t)
	case packet.LinkTypeIPv4:
		return g.constant(t == etherIP)
	case packet.LinkTypeIPv6:
		return g.constant(t == etherIPv6)
	case packet.LinkTypeNull, packet.LinkTypeLoop, linkENC:
		return g.typeLoopback(t)
	case linkPFLOG:
		return g.typeByFamily(t, pflogFamily, 10)
	case packet.LinkTypeIPNET:
		return g.typeByFamily(t, ipnetFamily, afINET6Solaris)
	case linkLocalTalk:
		return g.constant(t == etherATalk)
	case packet.LinkTypeFrameRelay:
		return g.typeFrameRelay(t)
	case linkBACnetMSTP:
		return g.maskCmp(baseLink, 0, sizeW, 0x55ff0000, 0xffff0000)
	}
	if g.linkType.base != notSet {
		return g.cmp(baseType, 0, sizeH, t)
	}
	return g.failLink("its packets do not say which protocol they carry, " +
		"or not in a way that a filter can follow")
}

// typeByVersion tells IPv4 and IPv6 by the first four bits of the packet.
func (g *generator) typeByVersion(t uint32) *pred {
	switch t {
	case etherIP:
		return g.maskCmp(baseLink, 0, sizeB, 0x40, 0xf0)
	case etherIPv6:
		return g.maskCmp(baseLink, 0, sizeB, 0x60, 0xf0)
	}
	return g.constant(false)
}

// typeByFamily tells IPv4 and IPv6 by a byte that holds an address family.
func (g *generator) typeByFamily(t, off, inet6 uint32) *pred {
	switch t {
	case etherIP:
		return g.cmp(baseLink, off, sizeB, afINET)
	case etherIPv6:
		return g.cmp(baseLink, off, sizeB, inet6)
	}
	return g.constant(false)
}

func (g *generator) typeLoopback(t uint32) *pred {
	switch t {
	case etherIP:
		return g.loopbackFamily(afINET)
	case etherIPv6:
		return or(g.loopbackFamily(afINET6Darwin),
			or(g.loopbackFamily(afINET6BSD), g.loopbackFamily(afINET6FreeBSD)))
	}
	return g.constant(false)
}

// loopbackFamily tests the address family at the beginning of the packet. In
// LOOP it is big endian. In the others it is in the byte order of the machine
// that captured, which a stored packet no longer tells; families are small
// numbers, so that either order can be taken without doubt.
func (g *generator) loopbackFamily(f uint32) *pred {
	big := g.cmp(baseLink, 0, sizeW, f)
	if g.link == packet.LinkTypeLoop {
		return big
	}
	return or(g.cmp(baseLink, 0, sizeW, f<<24), big)
}

func (g *generator) typeARCNET(t uint32) *pred {
	is := func(v uint32) *pred { return g.cmp(baseType, 0, sizeB, v) }
	switch t { // RFC 1201, and the older numbers of RFC 1051
	case etherIP:
		return or(is(212), is(240))
	case etherARP:
		return or(is(213), is(241))
	case etherRARP:
		return is(214)
	case etherIPv6:
		return is(196)
	case etherATalk:
		return is(221)
	}
	return g.constant(false)
}

// typeFrameRelay looks for the control field of an unnumbered frame and the
// NLPID (RFC 2427), after an address of two bytes.
func (g *generator) typeFrameRelay(t uint32) *pred {
	is := func(nlpid uint32) *pred { return g.cmp(baseLink, 2, sizeH, 0x0300|nlpid) }
	switch t {
	case etherIP:
		return is(0xcc)
	case etherIPv6:
		return is(0x8e)
	case sapISO:
		return or(is(nlpidCLNP), or(is(nlpidESIS), is(nlpidISIS)))
	}
	return g.constant(false)
}

// typeAfterMPLS tests for the bottom of the label stack and then guesses the
// protocol from the first four bits after it: MPLS itself does not name it.
func (g *generator) typeAfterMPLS(t uint32) *pred {
	var version uint32
	switch t {
	case etherIP:
		version = 0x40
	case etherIPv6:
		version = 0x60
	default:
		return g.fail("after 'mpls' only 'ip' and 'ip6' can be told apart")
	}
	bottom := g.bitsAre(basePrevMPLS, 2, 0x01, 0x01)
	return and(bottom, g.bitsAre(baseNet, 0, version, 0xf0))
}

func (g *generator) bitsAre(from base, off uint32, v, mask uint32) *pred {
	return g.maskCmp(from, off, sizeB, v, mask)
}

// PPP protocol numbers (IANA).
const (
	pppIP             = 0x0021
	pppVJCompressed   = 0x002d
	pppVJUncompressed = 0x002f
	pppMPLS           = 0x0281
)

// pppProtocol maps an EtherType or SAP to PPP's number for the same protocol.
func pppProtocol(t uint32) uint32 {
	switch t {
	case etherIP:
		return pppIP
	case etherIPv6:
		return 0x0057
	case etherDECnet:
		return 0x0027
	case etherATalk:
		return 0x0029
	case etherNS:
		return 0x0025
	case sapISO:
		return 0x0023
	case sapSTP:
		return 0x0031
	case sapIPX:
		return 0x002b
	}
	return t
}
