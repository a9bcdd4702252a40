package filter

import "github.com/packetcache/packetcache/internal/packet"

const (
	genevePort      = 6081
	udpHeaderLen    = 8
	geneveHeaderLen = 8 // without options
)

// geneve tests for Geneve (RFC 8926), with the given network number if one is
// given, and makes the packet in it what follows refers to: an Ethernet frame
// or, directly, a network-layer packet.
func (g *generator) geneve(vni uint32, given bool) *pred {
	if given && vni > 0xffffff {
		return g.fail("%d is no Geneve network: networks are 0 to 16777215", vni)
	}
	v4 := and(g.geneveIn(etherIP, baseIPv4, vni, given), g.geneveStart4())
	v6 := and(g.geneveIn(etherIPv6, baseIPv6, vni, given), g.geneveStart6())
	inner := g.constant(true)
	inner.leaf.stmts = append(g.geneveOffsets(), inner.leaf.stmts...)
	g.inGeneve = true
	return and(or(v4, v6), inner)
}

// geneveIn tests for UDP to Geneve's port, version 0 and the network number.
func (g *generator) geneveIn(etherTyp uint32, transport base, vni uint32, given bool) *pred {
	p := g.portsIn(etherTyp, portRange{genevePort, genevePort, false}, []uint32{ipUDP}, dirDst)
	p = and(p, g.bitsAre(transport, udpHeaderLen, 0, 0xc0))
	if given {
		p = and(p, g.maskCmp(transport, udpHeaderLen+4, sizeW, vni<<8, 0xffffff00))
	}
	return p
}

// always is a condition that holds and leaves what stmts compute in A.
func (g *generator) always(stmts []*stmt) *pred {
	// A and X are equal after the statements that are used here.
	return g.test(opJeqX, 0, stmts...)
}

// geneveStart4 leaves the length of the IPv4 header plus the variable part of
// the payload's offset in A.
func (g *generator) geneveStart4() *pred {
	return g.always(append(g.loadXIPv4HeaderLen(), newStmt(opTxa, 0)))
}

// geneveStart6 does the same for IPv6.
func (g *generator) geneveStart6() *pred {
	s := g.loadXVariable(&g.payload)
	variable := s != nil
	s = append(s, newStmt(opLdImm, ipv6HeaderLen))
	if variable {
		s = append(s, newStmt(opAddX, 0))
	}
	return g.always(append(s, newStmt(opTax, 0)))
}

// geneveOffsets computes, from what geneveStart left in A, where the inner
// EtherType, link-layer header and payload are.
func (g *generator) geneveOffsets() []*stmt {
	typ := offset{variable: true, reg: g.allocReg()}
	hdr := offset{variable: true, reg: g.allocReg()}
	payload := offset{variable: true, reg: g.allocReg()}
	inEthernet := newStmt(opJeq, etherTEB)
	storePayload := newStmt(opStx, uint32(payload.reg))
	code := []*stmt{
		// X is where the Geneve header begins, its EtherType 2 bytes on.
		newStmt(clsALU|aluAdd, g.payload.base+g.net+udpHeaderLen),
		newStmt(opTax, 0),
		newStmt(clsALU|aluAdd, 2),
		newStmt(opSt, uint32(typ.reg)),
		// Its end is the beginning of what it carries.
		newStmt(clsLd|modeInd|sizeB, 0),
		newStmt(clsALU|aluAnd, 0x3f),
		newStmt(clsALU|aluMul, 4),
		newStmt(clsALU|aluAdd, geneveHeaderLen),
		newStmt(opAddX, 0),
		newStmt(opSt, uint32(hdr.reg)),
		// If that is Ethernet, its own type and payload count.
		newStmt(clsLd|modeInd|sizeH, 2),
		newStmt(opLdxMem, uint32(hdr.reg)),
		inEthernet,
		newStmt(opTxa, 0),
		newStmt(clsALU|aluAdd, 12),
		newStmt(opSt, uint32(typ.reg)),
		newStmt(clsALU|aluAdd, 2),
		newStmt(opTax, 0),
		storePayload,
	}
	inEthernet.jt, inEthernet.jf = code[13], storePayload
	g.asIs = true

	g.linkType = typ
	g.push(packet.LinkTypeEthernet, hdr)
	g.payload = payload
	g.net = 0
	return code
}

// geneveHasEthernet tests that there is an Ethernet header in Geneve: then
// its beginning and the payload's differ.
func (g *generator) geneveHasEthernet() *pred {
	return not(g.test(opJeqX, 0,
		newStmt(opLdMem, uint32(g.linkHdr.reg)),
		newStmt(opLdxMem, uint32(g.payload.reg))))
}
