package filter

import "fmt"

// relop says which comparison a token stands for: the jump, and whether its
// outcome is to be negated.
func relop(k tokenKind) (op uint16, negate, ok bool) {
	switch k {
	case tokGt:
		return jmpGt, false, true
	case tokGe:
		return jmpGe, false, true
	case tokEq:
		return jmpEq, false, true
	case tokLe:
		return jmpGt, true, true
	case tokLt:
		return jmpGe, true, true
	case tokNe:
		return jmpEq, true, true
	}
	return 0, false, false
}

// How tightly operators bind. '%' and '^' have no rank of their own in
// tcpdump's grammar: what comes to the right of them binds first, and they
// bind before whatever is to the left of them.
const (
	bindNone = iota
	bindOr
	bindAnd
	bindShift
	bindAdd
	bindMul
	bindNeg
	bindLoose // '%' and '^'
)

var arithOps = map[tokenKind]struct {
	op   uint16
	bind int
}{
	tokPipe: {aluOr, bindOr}, tokAmp: {aluAnd, bindAnd},
	tokShl: {aluLsh, bindShift}, tokShr: {aluRsh, bindShift},
	tokPlus: {aluAdd, bindAdd}, tokMinus: {aluSub, bindAdd},
	tokStar: {aluMul, bindMul}, tokSlash: {aluDiv, bindMul},
	tokPercent: {aluMod, bindLoose}, tokHat: {aluXor, bindLoose},
}

// parseComparison continues after a number or arithmetic: with operators, and
// with the comparison that makes it a condition, if there is one.
func (p *parser) parseComparison(left item) (item, error) {
	start := p.next
	a, err := p.parseOperators(left.arith, bindNone)
	if err != nil {
		return item{}, err
	}
	if p.next != start {
		left = item{kind: itemArith, arith: a}
	}
	t := p.peek()
	op, negate, ok := relop(t.kind)
	if !ok {
		return left, nil
	}
	p.take()
	right, err := p.parseArith(bindNone)
	if err != nil {
		return item{}, err
	}
	return item{kind: itemTerm, q: unset, node: &relation{t.pos, op, negate, a, right}}, nil
}

// parseArith parses an operand and the operators after it that bind more
// tightly than the one before it.
func (p *parser) parseArith(before int) (arith, error) {
	a, err := p.parseOperand()
	if err != nil {
		return nil, err
	}
	return p.parseOperators(a, before)
}

func (p *parser) parseOperators(left arith, before int) (arith, error) {
	for {
		t := p.peek()
		o, ok := arithOps[t.kind]
		if !ok || o.bind != bindLoose && before != bindLoose && o.bind <= before {
			return left, nil
		}
		p.take()
		if err := p.enter(t); err != nil {
			return nil, err
		}
		right, err := p.parseArith(o.bind)
		p.depth--
		if err != nil {
			return nil, err
		}
		left = &binaryArith{t.pos, o.op, left, right}
	}
}

func (p *parser) parseOperand() (arith, error) {
	t := p.peek()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()

	switch t.kind {
	case tokNumber:
		p.take()
		return &numberArith{t.num}, nil
	case tokLen:
		p.take()
		return &lengthArith{t.pos}, nil
	case tokMinus:
		p.take()
		a, err := p.parseArith(bindNeg)
		if err != nil {
			return nil, err
		}
		return &negArith{a}, nil
	case tokLParen:
		p.take()
		a, err := p.parseArith(bindNone)
		if err == nil && !p.accept(tokRParen) {
			err = p.unexpected("')'")
		}
		return a, err
	case tokProtocol:
		return p.parseLoad()
	}
	return nil, p.unexpected("a number, 'len' or bytes such as ip[0]")
}

// parseLoad parses bytes of the packet: proto[index] or proto[index:size].
func (p *parser) parseLoad() (arith, error) {
	t := p.take()
	if !p.accept(tokLBracket) {
		return nil, p.unexpected(fmt.Sprintf("'[' after '%s'", t.text))
	}
	index, err := p.parseArith(bindNone)
	if err != nil {
		return nil, err
	}
	size := token{num: 1}
	if p.accept(tokColon) {
		if size = p.take(); size.kind != tokNumber || size.num != 1 && size.num != 2 && size.num != 4 {
			return nil, p.fail(size, "the size must be 1, 2 or 4 bytes", "")
		}
	}
	if !p.accept(tokRBracket) {
		return nil, p.unexpected("']' or ':' and a size")
	}
	return &loadArith{t.pos, proto(t.num), index, size.num}, nil
}
