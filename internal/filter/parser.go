package filter

import "fmt"

// Bounds on what is parsed. The longest expressions that people generate are
// lists of some thousand addresses.
const (
	maxExprLen = 64 << 10
	maxDepth   = 200 // of parentheses, "not", "-" and indexes in one another
)

// A parser follows the grammar of pcap-filter(7) by recursive descent.
//
// The difficulty is the abbreviation of "port 53 or port 5353" to "port 53 or
// 5353". After "and" and "or", and after "not" and "(" there, either a whole
// condition or a bare value can follow; a bare value has the qualifiers of
// the value before. A value in parentheses is not a condition, nor is a
// number alone, until a comparison follows. So parseItem is told what is
// allowed and returns what it found.
type parser struct {
	expr  string
	toks  []token
	next  int // index of the token to look at
	depth int
}

// allowed is a set of what may stand at a place.
type allowed uint8

const (
	allowTerm   allowed = 1 << iota // a condition, or arithmetic to compare
	allowValue                      // a bare value or number
	allowValues                     // values in parentheses
)

type itemKind uint8

const (
	itemTerm  itemKind = iota // a condition
	itemValue                 // one or more values with qualifiers
	itemNum                   // a number: a value, or arithmetic
	itemArith                 // arithmetic that is more than a number
)

type item struct {
	kind  itemKind
	node  node  // of itemTerm and itemValue
	arith arith // of itemNum and itemArith
	num   token // of itemNum
	q     qual  // what a bare value that follows takes over
}

// parse returns nil for an expression that has no words.
func parse(expr string) (node, error) {
	if len(expr) > maxExprLen {
		return nil, &SyntaxError{Expr: expr, Offset: maxExprLen,
			Msg: fmt.Sprintf("the expression has %d bytes; at most %d are taken", len(expr), maxExprLen)}
	}
	toks, err := lex(expr)
	if err != nil {
		return nil, err
	}
	p := &parser{expr: expr, toks: toks}
	if p.peek().kind == tokEOF {
		return nil, nil
	}
	n, err := p.parseExpr(allowTerm, unset)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokEOF {
		return nil, p.unexpected("'and', 'or' or the end of the expression")
	}
	return n.node, nil
}

func (p *parser) peek() token { return p.toks[p.next] }

// peek2 is the token after the next.
func (p *parser) peek2() token { return p.toks[min(p.next+1, len(p.toks)-1)] }

func (p *parser) take() token {
	t := p.toks[p.next]
	if t.kind != tokEOF {
		p.next++
	}
	return t
}

// accept takes the next token if it is of the kind.
func (p *parser) accept(kind tokenKind) bool {
	if p.peek().kind != kind {
		return false
	}
	p.next++
	return true
}

// enter counts a level of nesting; leave it with p.depth--.
func (p *parser) enter(at token) error {
	if p.depth++; p.depth > maxDepth {
		return p.fail(at, fmt.Sprintf("nested more than %d deep", maxDepth), "")
	}
	return nil
}

func (p *parser) fail(at token, msg, hint string) error {
	return &SyntaxError{Expr: p.expr, Offset: at.pos, Msg: msg, Hint: hint}
}

// parseExpr parses conditions joined by "and" and "or", which bind equally
// and to the left. The first may be anything that may contains.
func (p *parser) parseExpr(may allowed, q qual) (item, error) {
	first, err := p.parseItem(may, q)
	if err != nil {
		return item{}, err
	}
	if first, err = p.settle(first, may, q); err != nil {
		return item{}, err
	}
	return p.parseRest(first, q)
}

// parseRest continues after the first of several joined conditions or values.
func (p *parser) parseRest(left item, q qual) (item, error) {
	// What follows values can only be values, what follows a condition either.
	may := allowValue | allowValues
	if left.kind == itemTerm {
		may |= allowTerm
		q = left.q
	}
	for {
		or := p.peek().kind == tokOr
		if !or && p.peek().kind != tokAnd {
			return left, nil
		}
		p.take()
		right, err := p.parseItem(may, q)
		if err != nil {
			return item{}, err
		}
		if right, err = p.settle(right, may, q); err != nil {
			return item{}, err
		}
		left.node = &joined{or: or, left: left.node, right: right.node}
		left.q = right.q
		q = right.q
	}
}

// settle turns a number into the value that it must be where no comparison
// followed, and refuses arithmetic without one.
func (p *parser) settle(it item, may allowed, q qual) (item, error) {
	switch {
	case it.kind == itemNum && may&allowValue != 0:
		return item{kind: itemValue, q: q, node: &value{
			pos: it.num.pos, kind: tokNumber, text: it.num.text, num: it.num.num, q: q}}, nil
	case it.kind == itemNum || it.kind == itemArith:
		return item{}, p.unexpected("a comparison such as '=' or '>'")
	}
	return it, nil
}

func (p *parser) parseItem(may allowed, q qual) (item, error) {
	t := p.peek()
	if err := p.enter(t); err != nil {
		return item{}, err
	}
	defer func() { p.depth-- }()

	switch t.kind {
	case tokNot:
		p.take()
		if may&allowValue != 0 {
			may |= allowValues
		}
		it, err := p.parseItem(may, q)
		if err != nil {
			return item{}, err
		}
		if it, err = p.settle(it, may, q); err != nil {
			return item{}, err
		}
		it.node = &negated{it.node}
		return it, nil
	case tokLParen:
		it, err := p.parseParen(may, q)
		if err != nil || may&allowTerm == 0 || it.kind != itemNum && it.kind != itemArith {
			return it, err
		}
		return p.parseComparison(it)
	case tokNumber:
		if may&allowTerm == 0 {
			return numItem(p.take()), nil
		}
		return p.parseComparison(numItem(p.take()))
	case tokWord, tokIPv4, tokIPv6, tokMAC, tokARCNET:
		if may&allowValue == 0 {
			return item{}, p.bareValue(t)
		}
		n, err := p.parseValue(q)
		return item{kind: itemValue, node: n, q: q}, err
	}
	if may&allowTerm == 0 {
		return item{}, p.unexpected("a value")
	}
	return p.parseTerm()
}

func numItem(t token) item {
	return item{kind: itemNum, arith: &numberArith{t.num}, num: t}
}

// parseParen parses from "(" to its ")". What is allowed inside depends on
// what is outside; parentheses that hold values cannot begin with
// parentheses that hold values.
func (p *parser) parseParen(may allowed, q qual) (item, error) {
	p.take()
	inside := may & allowTerm
	if may&allowValues != 0 {
		inside |= allowValue
	}
	it, err := p.parseItem(inside, q)
	if err != nil {
		return item{}, err
	}
	if k := p.peek().kind; it.kind == itemNum && inside&allowValue != 0 && (k == tokAnd || k == tokOr) {
		if it, err = p.settle(it, inside, q); err != nil {
			return item{}, err
		}
	}
	if it.kind == itemTerm || it.kind == itemValue {
		if it, err = p.parseRest(it, q); err != nil {
			return item{}, err
		}
	}
	if !p.accept(tokRParen) {
		if it.kind == itemNum || it.kind == itemArith {
			return item{}, p.unexpected("')' or a comparison")
		}
		return item{}, p.unexpected("')', 'and' or 'or'")
	}
	// A value after the parentheses takes over what stood before them.
	it.q = q
	return it, nil
}

// parseValue parses a name or an address, with its prefix length or mask.
func (p *parser) parseValue(q qual) (node, error) {
	t := p.take()
	v := &value{pos: t.pos, kind: t.kind, text: t.text, q: q}
	switch {
	case (t.kind == tokIPv4 || t.kind == tokIPv6) && p.accept(tokSlash):
		n := p.take()
		if n.kind != tokNumber {
			return nil, p.fail(n, "a prefix length must follow the '/'", "write it as in 10.0.0.0/8")
		}
		v.hasPrefix, v.prefix = true, n.num
	case t.kind == tokIPv4 && p.accept(tokMask):
		n := p.take()
		if n.kind != tokIPv4 {
			return nil, p.fail(n, "a mask such as 255.255.255.0 must follow 'mask'", "")
		}
		v.mask = n.text
	}
	return v, nil
}

// parseNumber takes a number, in any number of parentheses, if one is there.
func (p *parser) parseNumber() (n uint32, ok bool, err error) {
	open := 0
	start := p.peek()
	for p.accept(tokLParen) {
		open++
	}
	if p.peek().kind != tokNumber {
		if open == 0 {
			return 0, false, nil
		}
		return 0, false, p.unexpected("a number")
	}
	if open > maxDepth {
		return 0, false, p.fail(start, fmt.Sprintf("nested more than %d deep", maxDepth), "")
	}
	n = p.take().num
	for ; open > 0; open-- {
		if !p.accept(tokRParen) {
			return 0, false, p.unexpected("')'")
		}
	}
	return n, true, nil
}

// needNumber takes a number that must follow the word before.
func (p *parser) needNumber(after token) (uint32, error) {
	t := p.peek()
	if t.kind != tokNumber {
		return 0, p.unexpected(fmt.Sprintf("a number after '%s'", after.text))
	}
	p.take()
	return t.num, nil
}

// unexpected is the error for the next token where something else should be.
func (p *parser) unexpected(want string) error {
	t := p.peek()
	if t.kind == tokEOF {
		return p.fail(t, "the expression ends where more is needed", "expected "+want)
	}
	return p.fail(t, fmt.Sprintf("'%s' cannot stand here", clip(t.text)), "expected "+want)
}

// bareValue is the error for a value that nothing says the meaning of.
func (p *parser) bareValue(t token) error {
	msg := fmt.Sprintf("'%s' cannot stand here", clip(t.text))
	switch t.kind {
	case tokIPv4, tokIPv6:
		return p.fail(t, msg, "write 'host' or 'net' before an address")
	case tokMAC, tokARCNET:
		return p.fail(t, msg, "write 'ether host' before a hardware address")
	}
	return p.fail(t, msg, "it is no word of the filter language")
}
