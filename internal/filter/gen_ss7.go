package filter

// ss7Start says where in a packet an SS7 signal unit begins.
func (g *generator) ss7Start() (off uint32, ok bool) {
	switch g.link {
	case linkMTP2:
		return 0, true
	case linkMTP2PHdr:
		return 4, true
	case linkERF:
		return 20, true
	}
	return 0, false
}

// mtp2Type tells the kinds of signal units (ITU-T Q.703, section 2.3) by the
// length indicator: none, one or two, or more bytes of information. On
// high-speed links (annex A) that indicator has 9 bits.
func (g *generator) mtp2Type(word string, kind uint32) *pred {
	off, ok := g.ss7Start()
	if !ok {
		return g.failLink("'%s' applies only to SS7", word)
	}
	off, size, mask, two := off+2, sizeB, uint32(0x3f), uint32(2)
	if kind >= mtp2HighSpeed {
		off, size, mask, two = off+2, sizeH, 0xff80, 2<<7
		kind -= mtp2HighSpeed
	}
	length := func(op uint16, negate bool, v uint32) *pred {
		return g.maskJump(basePacket, off, size, mask, op, negate, v)
	}
	switch kind {
	case mtp2FISU:
		return length(jmpEq, false, 0)
	case mtp2LSSU:
		atMost2 := length(jmpGt, true, two)
		return and(length(jmpGt, false, 0), atMost2)
	}
	return length(jmpGt, false, two)
}

// mtp3Field compares a field of the MTP level 3 header (ITU-T Q.704, section
// 2.2), whose bits are spread over bytes in little-endian order.
func (g *generator) mtp3Field(word string, field uint32, op uint16, negate bool, v uint32) *pred {
	off, ok := g.ss7Start()
	if !ok {
		return g.failLink("'%s' applies only to SS7", word)
	}
	off += 3
	if field >= mtp3HighSpeed {
		off += 3
		field -= mtp3HighSpeed
	}
	limit := map[uint32]uint32{mtp3SIO: 255, mtp3OPC: 16383, mtp3DPC: 16383, mtp3SLS: 15}[field]
	if v > limit {
		return g.fail("'%s' is at most %d", word, limit)
	}
	switch field {
	case mtp3SIO:
		return g.maskJump(basePacket, off, sizeB, 0xffffffff, op, negate, v)
	case mtp3OPC:
		v = v>>10&0x0f | v&0x03fc<<6 | v&0x03<<22
		return g.maskJump(basePacket, off+1, sizeW, 0x00c0ff0f, op, negate, v)
	case mtp3DPC:
		v = v&0xff<<24 | v&0x3f00<<8
		return g.maskJump(basePacket, off+1, sizeW, 0xff3f0000, op, negate, v)
	}
	return g.maskJump(basePacket, off+4, sizeB, 0xf0, op, negate, v<<4)
}
