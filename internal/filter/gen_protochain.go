package filter

// protochain tests whether a protocol is anywhere in the chain of headers
// after the IP header. It follows authentication headers and, in IPv6, the
// hop-by-hop, destination, routing and fragment headers.
//
// Since there may be any number of them, the code has a loop, for which the
// kernel's filter machine has no use. The loop ends because each header moves
// X on by at least 8 bytes, until a load would be past the packet's end.
// (tcpdump forgets to add the length of an authentication header to X, and so
// misses what comes after the header that follows one, or loops forever.)
func (g *generator) protochain(v uint32, in proto) *pred {
	switch in {
	case protoAny:
		p := g.protochain(v, protoIP)
		return or(p, g.protochain(v, protoIPv6))
	case protoIP, protoIPv6:
	default:
		return g.fail("'protochain' goes only with 'ip' and 'ip6'")
	}
	if g.payload.variable {
		return g.failLink("'protochain' does not work with headers of variable length")
	}
	g.asIs = true
	at := g.payload.base + g.net
	saved := g.allocReg()
	defer g.freeReg(saved)

	// The statements; jumps inside are filled in below. A is the number of
	// the header to look at, X where it begins, counted from at.
	var code []*stmt
	add := func(op uint16, k uint32) *stmt {
		s := newStmt(op, k)
		code = append(code, s)
		return s
	}
	typ := etherIP
	if in == protoIPv6 {
		typ = etherIPv6
		add(clsLd|modeAbs|sizeB, at+6)
		add(opLdxImm, ipv6HeaderLen)
	} else {
		add(clsLd|modeAbs|sizeB, at+9)
		add(opLdxMsh, at)
	}
	isType := g.etherType(uint32(typ))

	again := len(code)
	goBack := func() { add(opJa, uint32(again-len(code)-1)) }
	// next takes the header's next-header field as A, and moves X on by
	// (length field + plus) * unit.
	next := func(plus, unit uint32) {
		add(clsLd|modeInd|sizeB, at)
		add(opSt, uint32(saved))
		add(clsLd|modeInd|sizeB, at+1)
		add(clsALU|aluAdd, plus)
		add(clsALU|aluMul, unit)
		add(opAddX, 0)
		add(opTax, 0)
		add(opLdMem, uint32(saved))
		goBack()
	}

	found := add(opJeq, v)
	const noNext, hopByHop, destination, routing, fragment = 59, 0, 60, 43, 44
	none := add(opJeq, noNext)
	found.jf = none
	ahCheck := newStmt(opJeq, ipAH)
	if in == protoIPv6 {
		last := none
		var tests []*stmt
		for _, header := range []uint32{hopByHop, destination, routing, fragment} {
			s := add(opJeq, header)
			last.jf, last = s, s
			tests = append(tests, s)
		}
		last.jf = ahCheck
		advance := len(code)
		next(1, 8)
		for _, s := range tests {
			s.jt = code[advance]
		}
	} else {
		none.jf = ahCheck
	}
	code = append(code, ahCheck)
	afterAH := len(code)
	next(2, 4) // an authentication header counts words of 4 bytes
	ahCheck.jt = code[afterAH]
	end := add(clsALU|aluAdd, 0)
	found.jt, none.jt, ahCheck.jf = end, end, end

	return and(isType, g.test(opJeq, v, code...))
}
