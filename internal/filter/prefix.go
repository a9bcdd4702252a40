package filter

import "github.com/packetcache/packetcache/internal/packet"

// Bits of radiotap headers (radiotap.org), which are little endian, as a load
// sees them.
const (
	radiotapTSFT  = 0x01000000
	radiotapFlags = 0x02000000
	radiotapMore  = 0x00000080 // another word of presence bits
	radiotapPad   = 0x20       // of the flags: the 802.11 header is padded
)

const (
	prismLen   = 144
	avsMagic   = 0x80211000
	wlanMinLen = 24
)

// prefix returns the code that must run before all else: it computes the
// variable parts of offsets that the program uses. start is the first
// statement of the program so far; code may jump to it.
func (g *generator) prefix(start *stmt) []*stmt {
	hdr, payload := &g.linkHdr, &g.payload
	if g.pushed {
		hdr, payload = &g.outerLinkHdr, &g.outerPayload
	}
	if payload.reg != -1 && hdr.variable && hdr.reg == -1 {
		hdr.reg = g.allocReg()
	}
	var code []*stmt
	if hdr.variable {
		code = g.radioLen(hdr.reg)
	}
	switch {
	case payload.reg == -1:
	case isWLAN(g.outermost):
		code = g.wlanLen(code, payload.reg, start)
	case g.outermost == linkPFLOG:
		// The first byte is the header's length without its padding to 4.
		code = []*stmt{
			newStmt(clsLd|modeAbs|sizeB, 0),
			newStmt(clsALU|aluAdd, 3),
			newStmt(clsALU|aluAnd, ^uint32(3)),
			newStmt(opSt, uint32(payload.reg)),
			newStmt(opTax, 0),
		}
	}
	return code
}

// radioLen leaves the length of the radio information in scratch word reg and
// in X. It returns nil if nothing uses it.
func (g *generator) radioLen(reg int) []*stmt {
	// Code that jumps is not for the optimizer, even if it is not needed.
	if g.outermost == packet.LinkTypePrism {
		g.asIs = true
	}
	if reg == -1 {
		return nil
	}
	store := newStmt(opSt, uint32(reg))
	tax := newStmt(opTax, 0)
	switch g.outermost {
	case packet.LinkTypePrism:
		// Some drivers say Prism and deliver AVS.
		isAVS := newStmt(opJeq, avsMagic)
		isAVS.jt, isAVS.jf = newStmt(clsLd|modeAbs|sizeW, 4), newStmt(opLdImm, prismLen)
		return []*stmt{
			newStmt(clsLd|modeAbs|sizeW, 0),
			newStmt(clsALU|aluAnd, 0xfffff000),
			isAVS, isAVS.jt, newStmt(opJa, 1), isAVS.jf, store, tax,
		}
	case packet.LinkTypeAVS:
		return []*stmt{newStmt(clsLd|modeAbs|sizeW, 4), store, tax}
	}
	// Radiotap and PPI have a little-endian length at offset 2.
	return []*stmt{
		newStmt(clsLd|modeAbs|sizeB, 3),
		newStmt(clsALU|aluLsh, 8),
		newStmt(opTax, 0),
		newStmt(clsLd|modeAbs|sizeB, 2),
		newStmt(clsALU|aluOr|srcX, 0),
		store, tax,
	}
}

// wlanLen continues after radioLen and leaves the offset of what follows the
// 802.11 header in scratch word reg, at least for data frames: for others
// nobody asks.
func (g *generator) wlanLen(code []*stmt, reg int, start *stmt) []*stmt {
	g.asIs = true
	if code == nil {
		code = []*stmt{newStmt(opLdxImm, 0)}
	}
	load := func() *stmt { return newStmt(opLdMem, uint32(reg)) }
	store := func() *stmt { return newStmt(opSt, uint32(reg)) }

	notManagement, notData := newStmt(opJset, fcNotManagement), newStmt(opJset, fcNotData)
	qos := newStmt(opJset, 0x80)
	notManagement.jt, notManagement.jf = notData, start
	notData.jt, notData.jf = start, qos
	addQoS := load()
	qos.jt, qos.jf = addQoS, start
	code = append(code,
		newStmt(opTxa, 0), newStmt(clsALU|aluAdd, wlanMinLen), store(),
		newStmt(clsLd|modeInd|sizeB, 0), notManagement, notData, qos,
		addQoS, newStmt(clsALU|aluAdd, 2), store())
	if g.outermost != packet.LinkTypeRadiotap {
		return code
	}

	// Atheros cards pad the 802.11 header to 4 bytes and say so in radiotap's
	// flags, which come after an 8-byte timestamp if there is one.
	presence := newStmt(clsLd|modeAbs|sizeW, 4)
	qos.jf = presence
	hasFlags, hasMore, hasTSFT := newStmt(opJset, radiotapFlags), newStmt(opJset, radiotapMore), newStmt(opJset, radiotapTSFT)
	afterTSFT, flagsFirst := newStmt(clsLd|modeAbs|sizeB, 16), newStmt(clsLd|modeAbs|sizeB, 8)
	pad1, pad2 := newStmt(opJset, radiotapPad), newStmt(opJset, radiotapPad)
	roundUp := load()
	hasFlags.jt, hasFlags.jf = hasMore, start
	hasMore.jt, hasMore.jf = start, hasTSFT
	hasTSFT.jt, hasTSFT.jf = afterTSFT, flagsFirst
	pad1.jt, pad1.jf = roundUp, start
	pad2.jt, pad2.jf = roundUp, start
	return append(code, presence, hasFlags, hasMore, hasTSFT, afterTSFT, pad1, flagsFirst, pad2,
		roundUp, newStmt(clsALU|aluAdd, 3), newStmt(clsALU|aluAnd, ^uint32(3)), store())
}

// ppiCheck tests that a PPI packet holds 802.11 and not something else.
func (g *generator) ppiCheck() *pred {
	return g.test(opJeq, uint32(packet.LinkType80211)<<24, newStmt(clsLd|modeAbs|sizeW, 4))
}
