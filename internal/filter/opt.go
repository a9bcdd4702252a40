package filter

import (
	"errors"
	"slices"
)

// The optimizer follows the one that tcpdump's filters pass through, for two
// reasons. It makes programs about half as long. And it decides which loads
// are left, and a load past the end of a truncated packet rejects the packet:
// with "ip[60] = 1 or ip" every IP packet matches only because the first test
// is found to make no difference.
//
// It alternates two views of the program, a directed acyclic graph of blocks,
// until neither finds anything more. Along the paths, value numbering tells
// what A, X and the scratch words hold; an edge into a test whose outcome is
// known on that edge is led past it, and tests of the same value are brought
// together. Within blocks, constants are folded and statements without effect
// removed. The ideas are those of Begel, McCanne and Graham, "BPF+" (SIGCOMM
// 1999).

// Atoms are what values are kept in: the scratch words, A and X.
const (
	atomA  = memWords
	atomX  = memWords + 1
	nAtoms = memWords + 2
)

type atomSet uint32

func (s atomSet) has(atom int) bool { return s>>atom&1 != 0 }

// blockFacts is what the optimizer knows of a block.
type blockFacts struct {
	id      int
	level   int // edges to the farthest return
	in      []*edge
	dom     bitset         // blocks that every path to this one passes
	vals    [nAtoms]uint32 // value numbers at the end; 0 is unknown
	operand uint32         // value number of what the test compares with
	// What the block leaves unread from before, overwrites unread, and what
	// blocks after it read.
	use, kill, outUse atomSet
	same              *block // an equal block that takes its place
}

// edgeFacts is what the optimizer knows of an edge.
type edgeFacts struct {
	pred *block
	id   int
	dom  bitset // edges that every path over this one passes
}

type optimizer struct {
	root   *block
	blocks []*block
	edges  []*edge
	levels [][]*block
	values valueTable
	tests  map[testKey][]*edge
	work   int // a measure of the time spent
	// changed says that this pass did something; simplified, that it did more
	// than move edges about, which can go in circles.
	changed, simplified bool
}

var (
	errDivByZero = errors.New("division by zero")
	errShift     = errors.New("shift by more than 31 bits: numbers have 32")
)

// Bounds on the time, which can grow with the cube of the program's length.
// Longer programs run as they were generated; where the work is too much, they
// run as far as they have been optimized.
const (
	maxOptimized = 3000 // blocks
	maxWork      = 200_000_000
)

// maxMoves is how many passes may do nothing but move edges.
const maxMoves = 100

// optimize rewrites the program that begins at root and returns where it
// begins then. The error is about arithmetic on constants.
func optimize(root *block) (*block, error) {
	o := &optimizer{root: root, tests: map[testKey][]*edge{}}
	if !o.number() {
		return root, nil
	}
	for _, statements := range []bool{false, true} {
		if err := o.run(statements); err != nil {
			return nil, err
		}
	}
	o.mergeEqual()
	return o.trimRoot(), nil
}

// number finds all blocks, depth first, and gives them and their edges
// numbers. It returns false if they are too many.
func (o *optimizer) number() bool {
	seen := map[*block]bool{}
	stack := []*block{o.root}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[b] {
			continue
		}
		seen[b] = true
		o.blocks = append(o.blocks, b)
		if len(o.blocks) > maxOptimized {
			return false
		}
		if !b.isRet() {
			stack = append(stack, b.f.succ, b.t.succ)
		}
	}
	n := len(o.blocks)
	o.edges = make([]*edge, 2*n)
	for i, b := range o.blocks {
		b.opt = &blockFacts{id: i, dom: newBitset(n)}
		b.t.opt = &edgeFacts{b, i, newBitset(2 * n)}
		b.f.opt = &edgeFacts{b, n + i, newBitset(2 * n)}
		o.edges[i], o.edges[n+i] = &b.t, &b.f
	}
	return true
}

func (o *optimizer) run(statements bool) error {
	moves := 0
	for {
		o.changed, o.simplified = false, false
		o.findLevels()
		o.findDominators()
		o.findUses()
		if err := o.pass(statements); err != nil {
			return err
		}
		if !o.changed {
			return nil
		}
		if moves++; o.simplified {
			moves = 0
		}
		if moves >= maxMoves || o.work > maxWork {
			return nil
		}
	}
}

func (o *optimizer) simplify() { o.changed, o.simplified = true, true }

func (o *optimizer) pass(statements bool) error {
	o.values.reset()
	o.findInEdges()
	for _, level := range slices.Backward(o.levels) {
		for _, b := range level {
			if err := o.block(b, statements); err != nil {
				return err
			}
		}
	}
	if statements {
		// The edges have been moved to where they are best before.
		return nil
	}
	o.indexTests()
	o.work += len(o.edges) * len(o.edges) / 64
	for _, level := range o.levels[1:] {
		for _, b := range level {
			o.thread(&b.t)
			o.thread(&b.f)
		}
	}
	o.findInEdges()
	for _, level := range o.levels[1:] {
		for _, b := range level {
			o.pullUp(b, trueEdge, falseEdge)
			o.pullUp(b, falseEdge, trueEdge)
		}
	}
	return nil
}

func trueEdge(b *block) *edge  { return &b.t }
func falseEdge(b *block) *edge { return &b.f }

// findLevels sorts the blocks by their level.
func (o *optimizer) findLevels() {
	for _, b := range o.blocks {
		b.opt.level = -1
	}
	o.levels = o.levels[:0]
	var visit func(b *block)
	visit = func(b *block) {
		if b.opt.level >= 0 {
			return
		}
		level := 0
		if !b.isRet() {
			visit(b.t.succ)
			visit(b.f.succ)
			level = max(b.t.succ.opt.level, b.f.succ.opt.level) + 1
		}
		b.opt.level = level
		for len(o.levels) <= level {
			o.levels = append(o.levels, nil)
		}
		o.levels[level] = append(o.levels[level], b)
	}
	visit(o.root)
	for _, level := range o.levels {
		slices.Reverse(level)
	}
}

// findDominators computes the dominators of blocks and of edges.
func (o *optimizer) findDominators() {
	for _, b := range o.blocks {
		b.opt.dom.fill()
		b.t.opt.dom.fill()
		b.f.opt.dom.fill()
	}
	o.root.opt.dom.clear()
	o.root.t.opt.dom.clear()
	o.root.f.opt.dom.clear()
	for _, level := range slices.Backward(o.levels) {
		for _, b := range level {
			b.opt.dom.add(b.opt.id)
			if b.isRet() {
				continue
			}
			for _, e := range []*edge{&b.t, &b.f} {
				e.opt.dom.add(e.opt.id)
				e.succ.opt.dom.intersect(b.opt.dom)
				e.succ.t.opt.dom.intersect(e.opt.dom)
				e.succ.f.opt.dom.intersect(e.opt.dom)
			}
		}
	}
}

// findInEdges collects the edges into each block, the last found first.
func (o *optimizer) findInEdges() {
	for _, b := range o.blocks {
		b.opt.in = b.opt.in[:0]
	}
	for _, level := range slices.Backward(o.levels[1:]) {
		for _, b := range level {
			b.t.succ.opt.in = append(b.t.succ.opt.in, &b.t)
			b.f.succ.opt.in = append(b.f.succ.opt.in, &b.f)
		}
	}
	for _, b := range o.blocks {
		slices.Reverse(b.opt.in)
	}
}

// trimRoot drops tests at the beginning whose outcome makes no difference.
func (o *optimizer) trimRoot() *block {
	b := o.root
	stmts := b.stmts
	b.stmts = nil
	for !b.isRet() && b.t.succ == b.f.succ {
		b = b.t.succ
	}
	b.stmts = append(stmts, b.stmts...)
	if b.isRet() {
		b.stmts = nil
	}
	return b
}
