package filter

import (
	"fmt"

	"github.com/packetcache/packetcache/internal/packet"
)

// A generator turns nodes into blocks for one link type. Besides the code it
// carries what the words so far have found out about the packet's layout:
// "vlan", "mpls", "pppoes" and "geneve" move the offsets for all words to
// their right, also across "or", as pcap-filter(7) describes.
//
// The first error sticks; what is generated after it is thrown away.
type generator struct {
	expr string
	mode mode
	pos  int // of the node that is being generated
	err  error

	blocks int // made so far

	outermost packet.LinkType // of the file or interface
	link      packet.LinkType // that the words refer to now
	prevLink  packet.LinkType // around link

	linkHdr     offset // where the link-layer header begins
	prevLinkHdr offset
	linkType    offset // of the type field, or where the LLC header begins
	payload     offset // of the link-layer payload
	net         uint32 // network-layer header, from payload; after SNAP if there is LLC
	netNoSNAP   uint32 // the same where LLC is not followed by SNAP

	// pushed says that link is not the outermost link layer any more. Where
	// that has its header and payload is kept then.
	pushed                     bool
	outerLinkHdr, outerPayload offset

	mplsDepth, vlanDepth uint
	inGeneve             bool

	regUsed [memWords]bool
	regNext int
	// asIs keeps the optimizer off code with jumps inside a block.
	asIs bool
}

// A mode says what code is generated for.
type mode uint8

const (
	// modeCheck looks for what is wrong for every link type.
	modeCheck mode = iota
	// modeStored matches stored packets, as tcpdump does with a file.
	modeStored
)

// An offset is a number of bytes from the beginning of the packet: a constant,
// plus the content of a scratch word if it is not known before the program runs.
type offset struct {
	base     uint32
	variable bool
	reg      int // -1 until a scratch word is needed
}

// notSet as an offset says that the link type has no such thing.
const notSet = 0xffffffff

func fixed(base uint32) offset { return offset{base: base, reg: -1} }

func newGenerator(expr string, lt packet.LinkType, m mode) *generator {
	link := fromDLT(lt)
	g := &generator{expr: expr, mode: m, outermost: link, link: link, prevLink: link}
	l, ok := layoutOf(link)
	if !ok {
		g.failLink("this link type is not known to the filter language")
	}
	g.linkHdr = fixed(l.hdr)
	g.linkHdr.variable = l.radio
	g.linkType = fixed(l.typ)
	g.payload = fixed(l.payload)
	g.payload.variable = l.variable
	g.net, g.netNoSNAP = l.net, l.netNoSNAP
	g.prevLinkHdr = g.linkHdr
	return g
}

// fail records an error that does not depend on the link type. It returns a
// condition so that callers can return in one line.
func (g *generator) fail(format string, args ...any) *pred {
	return g.failHint("", format, args...)
}

func (g *generator) failHint(hint, format string, args ...any) *pred {
	if g.err == nil {
		g.err = &SyntaxError{Expr: g.expr, Offset: g.pos, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	return nothing()
}

// failLink records that what stands here does not apply to this link type.
func (g *generator) failLink(format string, args ...any) *pred {
	if g.err == nil && g.mode != modeCheck {
		g.err = &LinkTypeError{Expr: g.expr, Offset: g.pos, LinkType: g.outermost,
			Reason: fmt.Sprintf(format, args...)}
	}
	return nothing()
}

// nothing stands in for a condition after an error.
func nothing() *pred {
	return &pred{leaf: &block{op: opJeq, stmts: []*stmt{newStmt(opLdImm, 1)}}}
}

// maxBlocks bounds the memory that an expression can take while it is
// compiled: a condition on a port makes 23 blocks, one on a host 12.
const maxBlocks = 1 << 15

// test is the condition that runs stmts and then compares A by op with k or X.
func (g *generator) test(op uint16, k uint32, stmts ...*stmt) *pred {
	if g.blocks++; g.blocks > maxBlocks {
		g.failHint("split it, or use networks and ranges", "the expression is too complex")
	}
	return &pred{leaf: &block{stmts: stmts, op: op, k: k}}
}

// constant is the condition that always has the given outcome. It is written
// as a comparison, so that conditions of all kinds can be joined to it.
func (g *generator) constant(outcome bool) *pred {
	k := uint32(1)
	if outcome {
		k = 0
	}
	return g.test(opJeq, 0, newStmt(opLdImm, k))
}

// allocReg takes a scratch word.
func (g *generator) allocReg() int {
	for range memWords {
		if !g.regUsed[g.regNext] {
			g.regUsed[g.regNext] = true
			return g.regNext
		}
		g.regNext = (g.regNext + 1) % memWords
	}
	g.fail("the expression needs more than the %d scratch words of the packet filter machine", memWords)
	return 0
}

func (g *generator) freeReg(r int) { g.regUsed[r] = false }

// A base is what the offset of a load counts from.
type base uint8

const (
	baseLink      base = iota // link-layer header
	basePrevLink              // link-layer header around that
	baseLLC                   // link-layer payload: 802.2 LLC header
	basePrevMPLS              // the MPLS label before the current one
	baseType                  // link-layer type field
	baseNet                   // network-layer header
	baseNetNoSNAP             // the same, with no SNAP header
	baseIPv4                  // transport header after IPv4
	baseIPv6                  // transport header after IPv6 without extensions
	basePacket                // first byte
)

// loadA loads size bytes into A.
func (g *generator) loadA(from base, off uint32, size uint16) []*stmt {
	switch from {
	case baseLink:
		return g.loadFrom(&g.linkHdr, off, size)
	case basePrevLink:
		return g.loadFrom(&g.prevLinkHdr, off, size)
	case baseLLC:
		return g.loadFrom(&g.payload, off, size)
	case basePrevMPLS:
		return g.loadFrom(&g.payload, g.net-4+off, size)
	case baseType:
		return g.loadFrom(&g.linkType, off, size)
	case baseNet:
		return g.loadFrom(&g.payload, g.net+off, size)
	case baseNetNoSNAP:
		return g.loadFrom(&g.payload, g.netNoSNAP+off, size)
	case baseIPv4:
		return append(g.loadXIPv4HeaderLen(),
			newStmt(clsLd|modeInd|size, g.payload.base+g.net+off))
	case baseIPv6:
		return g.loadFrom(&g.payload, g.net+ipv6HeaderLen+off, size)
	}
	return []*stmt{newStmt(clsLd|modeAbs|size, off)}
}

// loadFrom loads from an offset; offsets wrap around like the machine's.
func (g *generator) loadFrom(o *offset, off uint32, size uint16) []*stmt {
	if s := g.loadXVariable(o); s != nil {
		return append(s, newStmt(clsLd|modeInd|size, o.base+off))
	}
	return []*stmt{newStmt(clsLd|modeAbs|size, o.base+off)}
}

// loadXVariable loads the variable part of an offset into X. It returns nil if
// there is none. The code that computes that part comes at the very beginning
// of the program (see prefix.go), or in a block that must have been passed.
func (g *generator) loadXVariable(o *offset) []*stmt {
	if !o.variable {
		return nil
	}
	if o.reg == -1 {
		o.reg = g.allocReg()
	}
	return []*stmt{newStmt(opLdxMem, uint32(o.reg))}
}

// loadXIPv4HeaderLen loads the length of the IPv4 header plus the variable
// part of the payload's offset into X.
func (g *generator) loadXIPv4HeaderLen() []*stmt {
	at := g.payload.base + g.net
	s := g.loadXVariable(&g.payload)
	if s == nil {
		return []*stmt{newStmt(opLdxMsh, at)}
	}
	return append(s,
		newStmt(clsLd|modeInd|sizeB, at),
		newStmt(clsALU|aluAnd, 0xf),
		newStmt(clsALU|aluLsh, 2),
		newStmt(opAddX, 0),
		newStmt(opTax, 0))
}

// cmp, cmpGt, cmpGe and cmpLe compare a field with a number.
func (g *generator) cmp(from base, off uint32, size uint16, v uint32) *pred {
	return g.test(opJeq, v, g.loadA(from, off, size)...)
}

func (g *generator) cmpGt(from base, off uint32, size uint16, v uint32) *pred {
	return g.test(clsJmp|jmpGt, v, g.loadA(from, off, size)...)
}

func (g *generator) cmpGe(from base, off uint32, size uint16, v uint32) *pred {
	return g.test(clsJmp|jmpGe, v, g.loadA(from, off, size)...)
}

func (g *generator) cmpLe(from base, off uint32, size uint16, v uint32) *pred {
	return not(g.cmpGt(from, off, size, v))
}

// maskCmp compares the bits of a field that are in mask with a number.
func (g *generator) maskCmp(from base, off uint32, size uint16, v, mask uint32) *pred {
	return g.maskJump(from, off, size, mask, jmpEq, false, v)
}

// maskJump compares the bits of a field that are in mask by any comparison.
func (g *generator) maskJump(from base, off uint32, size uint16, mask uint32, op uint16, negate bool, v uint32) *pred {
	s := g.loadA(from, off, size)
	if mask != 0xffffffff {
		s = append(s, newStmt(clsALU|aluAnd, mask))
	}
	p := g.test(clsJmp|op, v, s...)
	if negate {
		return not(p)
	}
	return p
}

// bitSet says whether any bit of mask is set in a byte.
func (g *generator) bitSet(from base, off uint32, mask uint32) *pred {
	return g.test(opJset, mask, g.loadA(from, off, sizeB)...)
}

// bytesAre compares a run of bytes, the last ones first: they differ most
// between addresses.
func (g *generator) bytesAre(from base, off uint32, v []byte) *pred {
	var p *pred
	join := func(q *pred) {
		if p != nil {
			q = and(p, q)
		}
		p = q
	}
	n := len(v)
	for ; n >= 4; n -= 4 {
		b := v[n-4:]
		join(g.cmp(from, off+uint32(n)-4, sizeW,
			uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3])))
	}
	for ; n >= 2; n -= 2 {
		join(g.cmp(from, off+uint32(n)-2, sizeH, uint32(v[n-2])<<8|uint32(v[n-1])))
	}
	if n > 0 {
		join(g.cmp(from, off, sizeB, uint32(v[0])))
	}
	return p
}
