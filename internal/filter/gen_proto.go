package filter

import "github.com/packetcache/packetcache/internal/packet"

// PDU types of IS-IS (ISO/IEC 10589).
const (
	isisL1Hello  = 15
	isisL2Hello  = 16
	isisP2PHello = 17
	isisL1LSP    = 18
	isisL2LSP    = 20
	isisL1CSNP   = 24
	isisL2CSNP   = 25
	isisL1PSNP   = 26
	isisL2PSNP   = 27
)

// protocol tests for a protocol that stands alone: "tcp", "arp", "iih".
func (g *generator) protocol(pr proto) *pred {
	switch pr {
	case protoIP:
		return g.etherType(etherIP)
	case protoARP:
		return g.etherType(etherARP)
	case protoRARP:
		return g.etherType(etherRARP)
	case protoIPv6:
		return g.etherType(etherIPv6)
	case protoATalk:
		return g.etherType(etherATalk)
	case protoAARP:
		return g.etherType(etherAARP)
	case protoDECnet:
		return g.etherType(etherDECnet)
	case protoSCA:
		return g.etherType(etherSCA)
	case protoLAT:
		return g.etherType(etherLAT)
	case protoMOPDL:
		return g.etherType(etherMOPDL)
	case protoMOPRC:
		return g.etherType(etherMOPRC)
	case protoISO:
		return g.etherType(sapISO)
	case protoSTP:
		return g.etherType(sapSTP)
	case protoIPX:
		return g.etherType(sapIPX)
	case protoNetBEUI:
		return g.etherType(sapNetBEUI)
	case protoSCTP:
		return g.proto(ipSCTP, protoAny)
	case protoTCP:
		return g.proto(ipTCP, protoAny)
	case protoUDP:
		return g.proto(ipUDP, protoAny)
	case protoPIM:
		return g.proto(ipPIM, protoAny)
	case protoAH:
		return g.proto(ipAH, protoAny)
	case protoESP:
		return g.proto(ipESP, protoAny)
	case protoICMP:
		return g.proto(ipICMP, protoIP)
	case protoIGMP:
		return g.proto(ipIGMP, protoIP)
	case protoIGRP:
		return g.proto(ipIGRP, protoIP)
	case protoVRRP, protoCARP:
		return g.proto(ipVRRP, protoIP)
	case protoICMPv6:
		return g.proto(ipICMPv6, protoIPv6)
	case protoESIS:
		return g.proto(nlpidESIS, protoISO)
	case protoISIS:
		return g.proto(nlpidISIS, protoISO)
	case protoCLNP:
		return g.proto(nlpidCLNP, protoISO)
	case protoISISL1:
		return g.isisTypes(isisP2PHello, isisL1Hello, isisL1LSP, isisL1CSNP, isisL1PSNP)
	case protoISISL2:
		return g.isisTypes(isisP2PHello, isisL2Hello, isisL2LSP, isisL2CSNP, isisL2PSNP)
	case protoISISIIH:
		return g.isisTypes(isisL2Hello, isisL1Hello, isisP2PHello)
	case protoISISLSP:
		return g.isisTypes(isisL2LSP, isisL1LSP)
	case protoISISSNP:
		return g.isisTypes(isisL2CSNP, isisL1CSNP, isisL1PSNP, isisL2PSNP)
	case protoISISCSNP:
		return g.isisTypes(isisL2CSNP, isisL1CSNP)
	case protoISISPSNP:
		return g.isisTypes(isisL2PSNP, isisL1PSNP)
	case protoLink:
		return g.failHint("write 'ether host', 'ether proto', 'ether broadcast' or ether[...]",
			"a link layer is no condition by itself")
	}
	return g.failHint("write radio[...]", "'%s' is no condition by itself", pr)
}

// isisTypes tests for any of several PDU types, the last one first.
func (g *generator) isisTypes(types ...uint32) *pred {
	p := g.proto(types[0], protoISIS)
	for _, t := range types[1:] {
		p = or(g.proto(t, protoISIS), p)
	}
	return p
}

// proto tests which protocol a header of protocol in says that it carries.
func (g *generator) proto(v uint32, in proto) *pred {
	switch in {
	case protoAny:
		p := g.proto(v, protoIP)
		return or(p, g.proto(v, protoIPv6))
	case protoLink:
		return g.etherType(v)
	case protoIP:
		typ := g.etherType(etherIP)
		return and(typ, g.cmp(baseNet, 9, sizeB, v))
	case protoIPv6:
		// Of the extension headers only a fragment header is looked past.
		const fragment = 44
		typ := g.etherType(etherIPv6)
		isFragment := g.cmp(baseNet, 6, sizeB, fragment)
		inFragment := and(isFragment, g.cmp(baseNet, ipv6HeaderLen, sizeB, v))
		return and(typ, or(g.cmp(baseNet, 6, sizeB, v), inFragment))
	case protoISO:
		return g.isoProto(v)
	case protoISIS:
		isis := g.isoProto(nlpidISIS)
		return and(isis, g.cmp(baseNetNoSNAP, 4, sizeB, v))
	}
	return g.failHint("write it after 'ip', 'ip6', 'ether', 'iso' or 'isis'",
		"'%s' has no field for 'proto' to test", in)
}

// isoProto tests the NLPID, which is the first byte of all OSI protocols.
func (g *generator) isoProto(v uint32) *pred {
	switch g.link {
	case packet.LinkTypeFrameRelay:
		return g.cmp(baseLink, 2, sizeH, 0x0300|v)
	case packet.LinkTypeCHDLC, linkNetBSDHDLC:
		// Cisco puts a byte between its header and the NLPID.
		typ := g.etherType(sapISO<<8 | sapISO)
		return and(typ, g.cmp(baseNetNoSNAP, 1, sizeB, v))
	}
	typ := g.etherType(sapISO)
	return and(typ, g.cmp(baseNetNoSNAP, 0, sizeB, v))
}
