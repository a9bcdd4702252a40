package filter

import (
	"fmt"
	"strings"
)

// parseTerm parses a condition that begins with a keyword, or arithmetic
// that begins with one.
func (p *parser) parseTerm() (item, error) {
	t := p.peek()
	switch t.kind {
	case tokMinus, tokLen:
		a, err := p.parseOperand()
		if err != nil {
			return item{}, err
		}
		return p.parseComparison(item{kind: itemArith, arith: a})
	case tokProtocol:
		if p.peek2().kind == tokLBracket {
			a, err := p.parseOperand()
			if err != nil {
				return item{}, err
			}
			return p.parseComparison(item{kind: itemArith, arith: a})
		}
		p.take()
		return p.parseQualified(t, proto(t.num))
	}
	if fn, err := p.parseOther(); fn != nil || err != nil {
		return item{kind: itemTerm, node: &term{t.pos, fn}, q: unset}, err
	}
	return p.parseQualified(t, protoAny)
}

// parseQualified parses what can stand after a protocol word, or where one
// was left out: further qualifiers and a value, or nothing at all.
func (p *parser) parseQualified(first token, pr proto) (item, error) {
	done := func(fn func(g *generator) *pred) (item, error) {
		return item{kind: itemTerm, node: &term{first.pos, fn}, q: unset}, nil
	}
	t := p.peek()
	switch t.kind {
	case tokBroadcast:
		p.take()
		return done(func(g *generator) *pred { return g.broadcast(pr) })
	case tokMulticast:
		p.take()
		return done(func(g *generator) *pred { return g.multicast(pr) })
	case tokType, tokSubtype, tokDir:
		fn, err := p.parse80211()
		if err != nil {
			return item{}, err
		}
		return done(fn)
	}

	q := qual{proto: pr}
	var err error
	if q.dir, err = p.parseDirection(); err != nil {
		return item{}, err
	}
	types := map[tokenKind]addrType{tokHost: typeHost, tokNet: typeNet, tokPort: typePort, tokPortrange: typePortrange}
	if q.dir == dirAny {
		types[tokProto], types[tokProtochain], types[tokGateway] = typeProto, typeProtochain, typeGateway
	}
	typ, ok := types[p.peek().kind]
	switch {
	case ok:
		p.take()
		q.typ = typ
	case q.dir == dirAny && pr != protoAny:
		return done(func(g *generator) *pred { return g.protocol(pr) })
	case q.dir == dirAny:
		return item{}, p.unexpected("a condition")
	}
	const may = allowValue | allowValues
	it, err := p.parseItem(may, q)
	if err != nil {
		return item{}, err
	}
	if it, err = p.settle(it, may, q); err != nil {
		return item{}, err
	}
	return item{kind: itemTerm, node: it.node, q: q}, nil
}

func (p *parser) parseDirection() (direction, error) {
	one := map[tokenKind]direction{tokSrc: dirSrc, tokDst: dirDst, tokAddr1: dirAddr1, tokAddr2: dirAddr2,
		tokAddr3: dirAddr3, tokAddr4: dirAddr4, tokRA: dirRA, tokTA: dirTA}
	t := p.peek()
	d, ok := one[t.kind]
	if !ok {
		return dirAny, nil
	}
	p.take()
	join := p.peek().kind
	if d != dirSrc && d != dirDst || join != tokAnd && join != tokOr {
		return d, nil
	}
	p.take()
	if second := p.peek(); one[second.kind] != dirSrc+dirDst-d {
		return 0, p.fail(second, fmt.Sprintf("'%s' is followed by no address", t.text),
			"write 'src or dst', 'src and dst', or an address after each")
	}
	p.take()
	if join == tokAnd {
		return dirAnd, nil
	}
	return dirOr, nil
}

// parseOther parses the words that stand alone or with a number. It returns
// nil if the next token is none of them.
func (p *parser) parseOther() (func(g *generator) *pred, error) {
	t := p.peek()
	withNumber := func(f func(g *generator, n uint32) *pred) (func(g *generator) *pred, error) {
		p.take()
		n, err := p.needNumber(t)
		return func(g *generator) *pred { return f(g, n) }, err
	}
	withOptional := func(f func(g *generator, n uint32, given bool) *pred) (func(g *generator) *pred, error) {
		p.take()
		n, given, err := p.parseNumber()
		return func(g *generator) *pred { return f(g, n, given) }, err
	}
	alone := func(f func(g *generator) *pred) (func(g *generator) *pred, error) {
		p.take()
		return f, nil
	}
	switch t.kind {
	case tokLess:
		return withNumber((*generator).less)
	case tokGreater:
		return withNumber((*generator).greater)
	case tokIfindex:
		return withNumber((*generator).ifindex)
	case tokByte:
		return p.parseByte()
	case tokInbound:
		return alone(func(g *generator) *pred { return g.inbound(false) })
	case tokOutbound:
		return alone(func(g *generator) *pred { return g.inbound(true) })
	case tokVLAN:
		return withOptional((*generator).vlan)
	case tokMPLS:
		return withOptional((*generator).mpls)
	case tokPPPoED:
		return alone((*generator).pppoeDiscovery)
	case tokPPPoES:
		return withOptional((*generator).pppoeSession)
	case tokGeneve:
		return withOptional((*generator).geneve)
	case tokLLC:
		return p.parseLLC()
	case tokPFIfname, tokPFRuleset, tokPFRule, tokPFSubrule, tokPFReason, tokPFAction:
		return p.parsePF()
	case tokATMType:
		return alone(func(g *generator) *pred { return g.atmType(t.text, t.num) })
	case tokMTP2Type:
		return alone(func(g *generator) *pred { return g.mtp2Type(t.text, t.num) })
	case tokATMField:
		return p.parseField(func(g *generator, op uint16, negate bool, v uint32) *pred {
			return g.atmField(t.text, t.num, op, negate, v)
		})
	case tokMTP3:
		return p.parseField(func(g *generator, op uint16, negate bool, v uint32) *pred {
			return g.mtp3Field(t.text, t.num, op, negate, v)
		})
	}
	return nil, nil
}

// parseByte parses "byte INDEX OPERATOR VALUE", an old form of ether[INDEX].
func (p *parser) parseByte() (func(g *generator) *pred, error) {
	t := p.take()
	idx, err := p.needNumber(t)
	if err != nil {
		return nil, err
	}
	op := p.peek()
	switch op.kind {
	case tokAmp, tokPipe, tokLt, tokGt, tokEq:
		p.take()
	default:
		return nil, p.unexpected("'=', '<', '>', '&' or '|'")
	}
	v, err := p.needNumber(op)
	return func(g *generator) *pred { return g.byteTest(op.kind, idx, v) }, err
}

// parseField parses what follows a field of ATM or SS7: a number, a
// comparison, or numbers joined by "or" in parentheses.
func (p *parser) parseField(f func(g *generator, op uint16, negate bool, v uint32) *pred) (func(g *generator) *pred, error) {
	t := p.take()
	if op, negate, ok := relop(p.peek().kind); ok {
		n, err := p.needNumber(p.take())
		return func(g *generator) *pred { return f(g, op, negate, n) }, err
	}
	open := p.accept(tokLParen)
	n, err := p.needNumber(t)
	if err != nil {
		return nil, err
	}
	values := []uint32{n}
	for open && p.peek().kind == tokOr {
		if n, err = p.needNumber(p.take()); err != nil {
			return nil, err
		}
		values = append(values, n)
	}
	if open && !p.accept(tokRParen) {
		return nil, p.unexpected("')' or 'or'")
	}
	return func(g *generator) *pred {
		all := f(g, jmpEq, false, values[0])
		for _, v := range values[1:] {
			all = or(all, f(g, jmpEq, false, v))
		}
		return all
	}, nil
}

// nameOrNumber takes a number within mask, or a name that is in the table.
func (p *parser) nameOrNumber(what string, mask uint32, table map[string]uint32) (uint32, error) {
	t := p.peek()
	switch t.kind {
	case tokNumber:
		p.take()
		if t.num&^mask != 0 {
			return 0, p.fail(t, fmt.Sprintf("%#x is no %s", t.num, what), "")
		}
		return t.num, nil
	case tokWord:
		p.take()
		if v, ok := table[strings.ToLower(t.text)]; ok {
			return v, nil
		}
		return 0, p.fail(t, fmt.Sprintf("'%s' is no %s", clip(t.text), what), "")
	}
	return 0, p.unexpected("the " + what + ", by name or number")
}
