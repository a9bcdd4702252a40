package filter

import "github.com/packetcache/packetcache/internal/packet"

// An operand is a number that a program computes: the statements that leave
// it in a scratch word, and what must hold for the bytes to mean anything.
type operand struct {
	code  []*stmt
	reg   int
	guard *pred // may be nil
}

func (o *operand) toA() *stmt { return newStmt(opLdMem, uint32(o.reg)) }
func (o *operand) toX() *stmt { return newStmt(opLdxMem, uint32(o.reg)) }

// require adds a condition that is to be tested after those there are.
func (o *operand) require(p *pred) {
	if o.guard != nil {
		p = and(o.guard, p)
	}
	o.guard = p
}

func (g *generator) number(v uint32) *operand {
	r := g.allocReg()
	return &operand{code: []*stmt{newStmt(opLdImm, v), newStmt(opSt, uint32(r))}, reg: r}
}

func (g *generator) length() *operand {
	r := g.allocReg()
	return &operand{code: []*stmt{newStmt(opLdLen, 0), newStmt(opSt, uint32(r))}, reg: r}
}

func (g *generator) negate(o *operand) *operand {
	o.code = append(o.code, o.toA(), newStmt(opNeg, 0), newStmt(opSt, uint32(o.reg)))
	return o
}

func (g *generator) arithmetic(op uint16, l, r *operand) *operand {
	if n := r.code[0]; len(r.code) == 2 && n.op == opLdImm { // a plain number
		switch {
		case (op == aluDiv || op == aluMod) && n.k == 0:
			g.fail("division by zero")
		case (op == aluLsh || op == aluRsh) && n.k > 31:
			g.fail("shift by %d bits: numbers have 32", n.k)
		}
	}
	l.code = append(append(l.code, r.code...), r.toX(), l.toA(), newStmt(clsALU|op|srcX, 0))
	g.freeReg(l.reg)
	g.freeReg(r.reg)
	l.reg = g.allocReg()
	l.code = append(l.code, newStmt(opSt, uint32(l.reg)))
	// What the right operand's bytes belong to is not tested if it is not
	// alone in its operation; tcpdump does not either.
	return l
}

// relation compares two operands.
func (g *generator) relation(op uint16, negate bool, l, r *operand) *pred {
	code := append(append(l.code, r.code...), r.toX(), l.toA())
	var p *pred
	if op == jmpEq {
		p = g.test(opJeq, 0, append(code, newStmt(opSubX, 0))...)
	} else {
		p = g.test(clsJmp|op|srcX, 0, code...)
	}
	if negate {
		p = not(p)
	}
	g.freeReg(l.reg)
	g.freeReg(r.reg)
	guard := l.guard
	if guard == nil {
		guard = r.guard
	} else if r.guard != nil {
		guard = and(guard, r.guard)
	}
	if guard != nil {
		p = and(guard, p)
	}
	return p
}

// load replaces an index by the size bytes at that index of a header.
func (g *generator) load(pr proto, index *operand, size uint32) *operand {
	reg := g.allocReg()
	g.freeReg(index.reg)
	ld := clsLd | modeInd | map[uint32]uint16{1: sizeB, 2: sizeH, 4: sizeW}[size]

	// indexed loads at the index plus an offset that may be variable.
	indexed := func(o *offset, more uint32) []*stmt {
		s := g.loadXVariable(o)
		if s == nil {
			s = []*stmt{index.toX()}
		} else {
			s = append(s, index.toA(), newStmt(opAddX, 0), newStmt(opTax, 0))
		}
		return append(s, newStmt(ld, o.base+more))
	}
	var code []*stmt
	switch pr {
	case protoRadio:
		switch g.link {
		case packet.LinkTypeAVS, packet.LinkTypeRadiotap, packet.LinkTypePrism:
		default:
			g.failLink("it has no radio information")
		}
		code = []*stmt{index.toX(), newStmt(ld, 0)}
	case protoLink:
		code = indexed(&g.linkHdr, 0)
	case protoIP, protoARP, protoRARP, protoATalk, protoDECnet, protoSCA, protoLAT,
		protoMOPRC, protoMOPDL, protoIPv6:
		code = indexed(&g.payload, g.net)
		index.require(g.protocol(pr))
	case protoSCTP, protoTCP, protoUDP, protoICMP, protoIGMP, protoIGRP, protoPIM, protoVRRP, protoCARP:
		// Over IPv4 only; the header of fragments but the first is elsewhere.
		code = append(g.loadXIPv4HeaderLen(),
			index.toA(), newStmt(opAddX, 0), newStmt(opTax, 0), newStmt(ld, g.payload.base+g.net))
		is := g.protocol(pr)
		p := and(is, g.firstFragment())
		if index.guard != nil {
			p = and(index.guard, p)
		}
		index.guard = and(g.protocol(protoIP), p)
	case protoICMPv6:
		index.require(g.protocol(protoIPv6))
		index.require(g.cmp(baseNet, 6, sizeB, ipICMPv6))
		code = indexed(&g.payload, g.net+ipv6HeaderLen)
	default:
		g.fail("'%s' has no bytes that can be indexed", pr)
	}
	index.reg = reg
	index.code = append(append(index.code, code...), newStmt(opSt, uint32(reg)))
	return index
}
