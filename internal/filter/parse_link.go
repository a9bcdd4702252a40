package filter

import (
	"fmt"
	"math"
	"strings"
)

// parse80211 parses "type T", "type T subtype S", "subtype S" and "dir D".
func (p *parser) parse80211() (func(g *generator) *pred, error) {
	frame := func(v, mask uint32) func(g *generator) *pred {
		return func(g *generator) *pred { return g.wlanFrame(0, v, mask) }
	}
	switch t := p.take(); t.kind {
	case tokType:
		typ, err := p.nameOrNumber("802.11 frame type", fcTypeMask, wlanTypes)
		if err != nil {
			return nil, err
		}
		if !p.accept(tokSubtype) {
			return frame(typ, fcTypeMask), nil
		}
		var names map[string]uint32
		for _, s := range wlanSubtypes {
			if s.typ == typ {
				names = s.names
			}
		}
		sub, err := p.nameOrNumber("802.11 subtype of that type", fcSubtypeMask, names)
		return frame(typ|sub, fcTypeMask|fcSubtypeMask), err
	case tokSubtype:
		w := p.peek()
		if w.kind != tokWord {
			return nil, p.unexpected("the name of an 802.11 subtype")
		}
		p.take()
		for _, s := range wlanSubtypes {
			if v, ok := s.names[strings.ToLower(w.text)]; ok {
				return frame(s.typ|v, fcTypeMask|fcSubtypeMask), nil
			}
		}
		return nil, p.fail(w, fmt.Sprintf("'%s' is no 802.11 subtype", clip(w.text)), "")
	default:
		dir, err := p.nameOrNumber("802.11 direction", math.MaxUint32, wlanDirs)
		return func(g *generator) *pred { return g.wlanFrame(1, dir, fcDirMask) }, err
	}
}

// parseLLC parses "llc" and the kinds of LLC frame that may follow it.
func (p *parser) parseLLC() (func(g *generator) *pred, error) {
	p.take()
	t := p.peek()
	kind := strings.ToLower(t.text)
	switch t.kind {
	case tokPFRule:
		// "rnr" is a word of the PF part of the language, too.
		kind = "rnr"
	case tokWord:
	default:
		return (*generator).llc, nil
	}
	p.take()
	switch kind {
	case "i":
		return (*generator).llcI, nil
	case "s":
		return func(g *generator) *pred { return g.llcControl(llcFormatS, llcFormatU) }, nil
	case "u":
		return func(g *generator) *pred { return g.llcControl(llcFormatU, llcFormatU) }, nil
	}
	if v, ok := llcSubtypesS[kind]; ok {
		return func(g *generator) *pred { return g.llcControl(v, llcMaskS) }, nil
	}
	if v, ok := llcSubtypesU[kind]; ok {
		return func(g *generator) *pred { return g.llcControl(v, llcMaskU) }, nil
	}
	return nil, p.fail(t, fmt.Sprintf("'%s' is no kind of LLC frame", clip(t.text)),
		"there are i, s, u, rr, rnr, rej, ui, ua, disc, dm, sabme, test, xid and frmr")
}

// parsePF parses the conditions on a record of the PF packet filter's log.
func (p *parser) parsePF() (func(g *generator) *pred, error) {
	t := p.take()
	switch t.kind {
	case tokPFRule, tokPFSubrule:
		n, err := p.needNumber(t)
		off := uint32(pflogRule)
		if t.kind == tokPFSubrule {
			off = pflogSubrule
		}
		return func(g *generator) *pred { return g.pflogNumber(t.text, off, sizeW, n) }, err
	case tokPFReason:
		n, err := p.nameOrNumber("PF reason", math.MaxUint32, pfReasons)
		return func(g *generator) *pred { return g.pflogNumber(t.text, pflogReason, sizeB, n) }, err
	case tokPFAction:
		if p.peek().kind != tokWord {
			return nil, p.unexpected("the name of an action")
		}
		n, err := p.nameOrNumber("PF action", 0, pfActions)
		return func(g *generator) *pred { return g.pflogNumber(t.text, pflogAction, sizeB, n) }, err
	}
	w := p.peek()
	if w.kind != tokWord {
		return nil, p.unexpected(fmt.Sprintf("a name after '%s'", t.text))
	}
	p.take()
	if len(w.text) >= pflogNameLen {
		return nil, p.fail(w, fmt.Sprintf("'%s' is longer than the %d bytes of that field",
			clip(w.text), pflogNameLen-1), "")
	}
	off := uint32(pflogIfname)
	if t.kind == tokPFRuleset {
		off = pflogRuleset
	}
	return func(g *generator) *pred { return g.pflogName(t.text, off, w.text) }, nil
}
