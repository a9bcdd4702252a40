package filter

import "github.com/packetcache/packetcache/internal/packet"

// greater and less compare the packet's length; both include n.
func (g *generator) greater(n uint32) *pred {
	return g.test(clsJmp|jmpGe, n, newStmt(opLdLen, 0))
}

func (g *generator) less(n uint32) *pred {
	return not(g.test(clsJmp|jmpGt, n, newStmt(opLdLen, 0)))
}

// byteTest is the old form of a test of one byte of the link-layer header.
func (g *generator) byteTest(op tokenKind, idx, v uint32) *pred {
	switch op {
	case tokEq:
		return g.cmp(baseLink, idx, sizeB, v)
	case tokLt:
		return not(g.cmpGe(baseLink, idx, sizeB, v))
	case tokGt:
		return g.cmpGt(baseLink, idx, sizeB, v)
	}
	alu := aluAnd
	if op == tokPipe {
		alu = aluOr
	}
	return not(g.test(opJeq, 0, append(g.loadA(baseLink, idx, sizeB), newStmt(clsALU|alu, v))...))
}

// packetOutgoing is the kernel's packet type of what this machine sent, in
// Linux cooked captures and beside packets (linux/if_packet.h).
const packetOutgoing = 4

// inbound tests the direction of a packet, where the link type tells it.
func (g *generator) inbound(out bool) *pred {
	sent := func(p *pred) *pred {
		if out {
			return p
		}
		return not(p)
	}
	pick := func(in, other uint32) uint32 {
		if out {
			return other
		}
		return in
	}
	switch lt := g.link; {
	case lt == packet.LinkTypeSLIP:
		// The first byte is 0 for what was received, 1 for what was sent.
		b := g.load(protoLink, g.number(0), 1)
		return g.relation(jmpEq, out, b, g.number(0))
	case lt == packet.LinkTypeIPNET:
		return g.cmp(baseLink, 2, sizeH, pick(2, 1))
	case lt == packet.LinkTypeLinuxSLL:
		return sent(g.cmp(baseLink, 0, sizeH, packetOutgoing))
	case lt == packet.LinkTypeLinuxSLL2:
		return sent(g.cmp(baseLink, 10, sizeB, packetOutgoing))
	case lt == linkPFLOG:
		return g.cmp(baseLink, pflogDirection, sizeB, pick(1, 2))
	case lt == linkPPPD:
		return g.cmp(baseLink, 0, sizeB, pick(0, 1))
	case isJuniper(lt):
		return g.bitsAre(baseLink, 3, pick(1, 0), 0x01)
	}
	return g.failLink("its packets do not say which way they went")
}

// ifindex tests the number of the interface, where the link type tells it.
func (g *generator) ifindex(n uint32) *pred {
	if g.link == packet.LinkTypeLinuxSLL2 {
		return g.cmp(baseLink, 4, sizeW, n)
	}
	return g.failLink("its packets do not say on which interface they were")
}

// Offsets in the header of the PF packet filter's log (net/if_pflog.h), and
// of the address family in Solaris's.
const (
	pflogFamily    = 1
	pflogAction    = 2
	pflogReason    = 3
	pflogIfname    = 4
	pflogRuleset   = 20
	pflogRule      = 36
	pflogSubrule   = 40
	pflogDirection = 60
	pflogNameLen   = 16

	ipnetFamily = 1
)

func (g *generator) pflogNumber(word string, off uint32, size uint16, v uint32) *pred {
	if g.link != linkPFLOG {
		return g.failLink("'%s' applies only to logs of the PF packet filter", word)
	}
	return g.cmp(baseLink, off, size, v)
}

func (g *generator) pflogName(word string, off uint32, name string) *pred {
	if g.link != linkPFLOG {
		return g.failLink("'%s' applies only to logs of the PF packet filter", word)
	}
	return g.bytesAre(baseLink, off, []byte(name))
}
