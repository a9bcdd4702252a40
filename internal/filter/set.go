package filter

import (
	"sync/atomic"

	"github.com/packetcache/packetcache/internal/packet"
)

// A Set applies one expression to packets of any link type, as they are mixed
// in a cache. A link type that the expression does not apply to never matches.
// It is safe for concurrent use.
type Set struct {
	expr     *Expr
	programs [maxLinkTypes]atomic.Pointer[Program]
}

// maxLinkTypes bounds the table of programs. Numbers above are not assigned,
// and the language refuses them.
const maxLinkTypes = 320

// commonLinkTypes are tried, in this order, to see whether an expression
// applies anywhere at all.
var commonLinkTypes = []packet.LinkType{
	packet.LinkTypeEthernet, packet.LinkTypeRadiotap, packet.LinkType80211, packet.LinkTypePrism,
	packet.LinkTypeRaw, packet.LinkTypeIPv6, packet.LinkTypeLinuxSLL2, packet.LinkTypePPP,
	packet.LinkTypeCHDLC, packet.LinkTypeFrameRelay, packet.LinkTypeARCNET, packet.LinkTypeFDDI,
	packet.LinkTypeTokenRing, packet.LinkTypeIPNET, packet.LinkTypeSLIP, packet.LinkTypeNull,
	linkPFLOG, linkPPPD, linkMTP2, linkSunATM, linkJuniperEther, linkLocalTalk,
}

// NewSet prepares e for all link types. It fails, as Compile does for
// Ethernet, if no link type is known to which e applies.
func NewSet(e *Expr) (*Set, error) {
	s := &Set{expr: e}
	var first error
	for _, lt := range commonLinkTypes {
		if neverMatches(first) && (isWLAN(lt) || isJuniper(lt)) {
			// A contradiction would not be noticed there: code for 802.11 is
			// not optimized, and in Juniper's any protocol may be.
			continue
		}
		p, err := e.Compile(lt)
		switch {
		case err == nil:
			s.programs[lt].Store(p)
			return s, nil
		case !refused(err):
			return nil, err
		case first == nil:
			first = err
		}
	}
	return nil, first
}

// Expr returns the expression that the set was made from.
func (s *Set) Expr() *Expr { return s.expr }

// never is the program of link types that the expression does not apply to.
var never = newProgram(nil)

// Match says whether a packet matches; see Program.Match. The first packet of
// a link type costs a compilation, others no allocation.
func (s *Set) Match(lt packet.LinkType, data []byte, wireLen uint32) bool {
	if int(lt) >= len(s.programs) {
		return s.expr.root == nil
	}
	p := s.programs[lt].Load()
	if p == nil {
		p = s.compile(lt)
	}
	return p.Match(data, wireLen)
}

func (s *Set) compile(lt packet.LinkType) *Program {
	p, err := s.expr.Compile(lt)
	if err != nil {
		p = never
	}
	s.programs[lt].Store(p)
	return p
}
