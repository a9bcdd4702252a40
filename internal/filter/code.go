package filter

// A stmt is one instruction without a jump out of its block. A few code
// sequences jump inside a block; jt and jf name the targets then.
type stmt struct {
	op     uint16
	k      uint32
	jt, jf *stmt
}

// A block runs its statements, then compares and goes on at one of two other
// blocks. A block whose op is opRet has no successors.
type block struct {
	stmts []*stmt
	op    uint16
	k     uint32
	// t and f lead on when the comparison holds and when it does not.
	t, f edge

	opt *blockFacts // the optimizer's
	pos int         // the emitter's: index of the first instruction
	// longT and longF ask the emitter for a jump farther than 255.
	longT, longF bool
}

// An edge is one of the two ways out of a block.
type edge struct {
	succ *block
	opt  *edgeFacts // the optimizer's
}

func (b *block) isRet() bool { return b.op&clsMask == clsRet }

func newStmt(op uint16, k uint32) *stmt { return &stmt{op: op, k: k} }

// A pred is a condition on a packet: a comparison, or conditions joined.
// Joining evaluates from left to right and stops when the outcome is certain,
// which matters because a load past the packet's end rejects the packet.
type pred struct {
	kind predKind
	a, b *pred
	leaf *block
	// known is what is known of a packet for which the condition holds, nil
	// for nothing.
	known *knowledge
}

type predKind uint8

const (
	predLeaf predKind = iota
	predAnd
	predOr
	predNot
)

func and(a, b *pred) *pred { return &pred{kind: predAnd, a: a, b: b} }
func or(a, b *pred) *pred  { return &pred{kind: predOr, a: a, b: b} }
func not(a *pred) *pred    { return &pred{kind: predNot, a: a} }

// first is the block that is evaluated first.
func (p *pred) first() *block {
	for p.kind != predLeaf {
		p = p.a
	}
	return p.leaf
}

// link makes p go to t or to f by its outcome and returns where p begins.
// Chains of "or" nest to the left and can be as long as an expression, so
// only the right side recurses.
func (p *pred) link(t, f *block) *block {
	for {
		switch p.kind {
		case predLeaf:
			p.leaf.t.succ, p.leaf.f.succ = t, f
			return p.leaf
		case predNot:
			t, f = f, t
		case predAnd:
			t = p.b.link(t, f)
		case predOr:
			f = p.b.link(t, f)
		}
		p = p.a
	}
}
