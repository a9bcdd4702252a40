package filter

// A node is a condition of an expression. The parser has given it its place
// and the qualifiers that hold for it; gen turns it into code.
//
// Nodes generate in the order in which they stand in the expression, because
// words such as "vlan" change what all words to their right refer to.
type node interface {
	gen(g *generator) *pred
}

// A joined node is "left and right" or "left or right".
type joined struct {
	or          bool
	left, right node
}

func (n *joined) gen(g *generator) *pred {
	// Long chains lean to the left; walk down them without recursion.
	var chain []*joined
	var leftmost node = n
	for {
		j, ok := leftmost.(*joined)
		if !ok {
			break
		}
		chain = append(chain, j)
		leftmost = j.left
	}
	p := leftmost.gen(g)
	for i := len(chain) - 1; i >= 0 && g.err == nil; i-- {
		if right := chain[i].right.gen(g); chain[i].or {
			p = or(p, right)
		} else {
			p = and(p, right)
		}
	}
	return p
}

// A negated node is "not inner".
type negated struct{ inner node }

func (n *negated) gen(g *generator) *pred { return not(n.inner.gen(g)) }

// A value is a name, number or address with the qualifiers in force for it.
type value struct {
	pos  int
	kind tokenKind // tokWord, tokNumber, tokIPv4, tokIPv6, tokMAC or tokARCNET
	text string
	num  uint32
	q    qual
	// An address may have a prefix length or, IPv4 only, a mask.
	hasPrefix bool
	prefix    uint32
	mask      string
}

func (n *value) gen(g *generator) *pred {
	g.pos = n.pos
	switch n.kind {
	case tokWord:
		return g.nameValue(n.text, n.q)
	case tokNumber:
		return g.numberValue(n.num, n.q)
	case tokIPv4:
		if n.hasPrefix || n.mask != "" {
			return g.ipv4NetValue(n)
		}
		return g.ipv4Value(n.text, n.q)
	case tokIPv6:
		return g.ipv6Value(n)
	case tokMAC:
		return g.macValue(n.text, n.q)
	}
	return g.arcnetValue(n.text, n.q)
}

// A term is a condition that stands for itself, without a qualified value:
// "tcp", "vlan 7", "greater 100", "type mgt".
type term struct {
	pos int
	fn  func(g *generator) *pred
}

func (n *term) gen(g *generator) *pred {
	g.pos = n.pos
	return n.fn(g)
}

// A relation compares two numbers computed from the packet.
type relation struct {
	pos         int
	op          uint16 // jmpEq, jmpGt or jmpGe
	negate      bool
	left, right arith
}

func (n *relation) gen(g *generator) *pred {
	l := n.left.gen(g)
	r := n.right.gen(g)
	g.pos = n.pos
	return g.relation(n.op, n.negate, l, r)
}

// An arith computes a number from the packet.
type arith interface {
	gen(g *generator) *operand
}

type numberArith struct{ v uint32 }

type lengthArith struct{ pos int }

type loadArith struct {
	pos   int
	proto proto
	index arith
	size  uint32
}

type binaryArith struct {
	pos         int
	op          uint16 // aluAdd ...
	left, right arith
}

type negArith struct{ inner arith }

func (n *numberArith) gen(g *generator) *operand { return g.number(n.v) }

func (n *lengthArith) gen(g *generator) *operand { return g.length() }

func (n *loadArith) gen(g *generator) *operand {
	index := n.index.gen(g)
	g.pos = n.pos
	return g.load(n.proto, index, n.size)
}

func (n *binaryArith) gen(g *generator) *operand {
	l := n.left.gen(g)
	r := n.right.gen(g)
	g.pos = n.pos
	return g.arithmetic(n.op, l, r)
}

func (n *negArith) gen(g *generator) *operand { return g.negate(n.inner.gen(g)) }
