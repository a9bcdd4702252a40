package filter

// peephole simplifies short sequences of statements, and the test that ends
// the block together with what comes before it.
func (o *optimizer) peephole(b *block) {
	if len(b.stmts) == 0 {
		return
	}
	// nextReal is the index of the next statement from i on that is not removed.
	nextReal := func(i int) int {
		for i < len(b.stmts) && b.stmts[i].op == opNop {
			i++
		}
		return i
	}
	last := b.stmts[0]
	for i := 0; ; {
		i = nextReal(i)
		next := nextReal(i + 1)
		if next >= len(b.stmts) {
			break
		}
		last = b.stmts[next]
		o.pair(b, b.stmts[i], next, nextReal)
		i = next
	}
	o.mergeTest(b, last)
	o.decide(b)
}

// pair simplifies a statement and the next one.
func (o *optimizer) pair(b *block, s *stmt, n int, nextReal func(int) int) {
	next := b.stmts[n]
	// What was just stored need not be loaded.
	if s.op == opSt && next.op == opLdxMem && s.k == next.k {
		next.op = opTax
		o.simplify()
	}
	if s.op == opLdImm && next.op == opTax {
		s.op, next.op = opLdxImm, opTxa
		o.simplify()
	}
	// tcp[k] with a constant k:   ld #k; ldx len; add x; tax; ld [x+m]
	// becomes                     ldx len; ld [x+m+k]
	// unless X, which then is another, is used later.
	if s.op != opLdImm || b.opt.outUse.has(atomX) {
		return
	}
	at := func(i int) *stmt {
		if i < len(b.stmts) {
			return b.stmts[i]
		}
		return &stmt{op: opNop}
	}
	add := n
	if next.op == opLdxMsh {
		add = nextReal(n + 1)
	}
	tax := nextReal(add + 1)
	load := nextReal(tax + 1)
	if at(add).op != opAddX || at(tax).op != opTax ||
		at(load).op&clsMask != clsLd || at(load).op&modeMask != modeInd {
		return
	}
	at(load).k += s.k
	s.op, at(add).op, at(tax).op = opNop, opNop, opNop
	o.simplify()
}

// mergeTest merges an operation into the test after it, if that tests for
// equality and nothing else uses the result.
func (o *optimizer) mergeTest(b *block, last *stmt) {
	if b.op != opJeq || b.opt.outUse.has(atomA) {
		return
	}
	switch {
	case last.op == opSubX:
		if x, ok := o.values.isConst(b.opt.vals[atomX]); ok {
			b.k += x
		} else if b.k == 0 {
			b.op = opJeqX
		} else {
			return
		}
	case last.op == clsALU|aluSub:
		b.k += last.k
	case last.op == clsALU|aluAnd && b.k == 0:
		b.op, b.k = opJset, last.k
		b.t.succ, b.f.succ = b.f.succ, b.t.succ
	default:
		return
	}
	last.op = opNop
	o.simplify()
}

// decide leads both edges to the same block if the outcome of the test is known.
func (o *optimizer) decide(b *block) {
	if b.isRet() {
		return
	}
	if b.op == opJset && b.k == 0 {
		b.t.succ = b.f.succ
	}
	if b.op == opJset && b.k == 0xffffffff {
		// Not so if A is 0, but tcpdump does it.
		b.f.succ = b.t.succ
	}
	if x, ok := o.values.isConst(b.opt.vals[atomX]); ok && b.op&srcX != 0 {
		b.op, b.k = b.op&^srcX, x
	}
	a, ok := o.values.isConst(b.opt.vals[atomA])
	if !ok || b.op&srcX != 0 {
		return
	}
	if b.t.succ != b.f.succ {
		o.simplify()
	}
	if compare(b.op, a, b.k) {
		b.f.succ = b.t.succ
	} else {
		b.t.succ = b.f.succ
	}
}

// compare is the machine's comparison.
func compare(op uint16, a, k uint32) bool {
	switch op & operMsk {
	case jmpEq:
		return a == k
	case jmpGt:
		return a > k
	case jmpGe:
		return a >= k
	}
	return a&k != 0
}
