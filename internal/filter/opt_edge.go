package filter

import "math/bits"

// dataConflict says that to is reached with other values, from something that
// it or a block after it reads, if an edge from b leads there directly.
func dataConflict(b, to *block) bool {
	for atom := range nAtoms {
		if to.opt.outUse.has(atom) && b.opt.vals[atom] != to.opt.vals[atom] {
			return true
		}
	}
	return false
}

// thread leads an edge past tests whose outcome is known on that edge.
func (o *optimizer) thread(e *edge) {
	if e.succ.isRet() {
		return
	}
	if to := e.succ.t.succ; to == e.succ.f.succ && !dataConflict(e.pred, to) {
		e.succ = to
		o.simplify()
	}
	for again := true; again; {
		again = false
		for i, word := range e.opt.dom {
			for ; word != 0 && !again; word &= word - 1 {
				n := i*64 + bits.TrailingZeros64(word)
				if n >= len(o.edges) {
					break
				}
				to := implied(e.succ, o.edges[n])
				if to == nil || dataConflict(e.pred, to) {
					continue
				}
				e.succ = to
				o.changed = true
				if to.isRet() {
					return
				}
				again = true
			}
			if again {
				break
			}
		}
	}
}

// implied returns where b leads, given that a path over e came before; nil if
// that can't be told. Tests are known to agree when A and what it is compared
// with are the same; and A that equals one number equals no other.
func implied(b *block, e *edge) *block {
	before := e.pred
	if b.op != before.op || b.opt.vals[atomA] != before.opt.vals[atomA] || b.isRet() {
		return nil
	}
	held := e == &before.t
	switch {
	case b.opt.operand == before.opt.operand && held:
		return b.t.succ
	case b.opt.operand == before.opt.operand:
		return b.f.succ
	case held && b.op == opJeq:
		return b.f.succ
	}
	return nil
}

// pullUp brings tests of the same value together. Below b hangs a chain of
// tests: blocks that b dominates, each reached over the along edge of the one
// before, all with the across edge to where b's leads, as "or" and "and" make
// them. Where tests of the value that was tested before b are interrupted by
// a test of another value, the next test of the first value is moved up there.
func (o *optimizer) pullUp(b *block, across, along func(*block) *edge) {
	if len(b.opt.in) == 0 || b.isRet() {
		return
	}
	val := b.opt.in[0].pred.opt.vals[atomA]
	for _, e := range b.opt.in {
		if e.pred.opt.vals[atomA] != val {
			return
		}
	}
	inChain := func(c *block) bool {
		return !c.isRet() && across(c).succ == across(b).succ && c.opt.dom.has(b.opt.id)
	}

	// differs leads to the first block of the chain that tests another value.
	first := b.opt.in[0].pred
	differs := &first.t
	if first.t.succ != b {
		differs = &first.f
	}
	atTop := true
	for {
		if !inChain(differs.succ) {
			return
		}
		if differs.succ.opt.vals[atomA] != val {
			break
		}
		differs = along(differs.succ)
		atTop = false
	}
	// same leads to the next one that tests the value again.
	same := along(differs.succ)
	for {
		if !inChain(same.succ) {
			return
		}
		if same.succ.opt.vals[atomA] == val {
			break
		}
		same = along(same.succ)
	}

	pull := same.succ
	same.succ = along(pull).succ
	along(pull).succ = differs.succ
	if atTop {
		for _, e := range b.opt.in {
			if e.pred.t.succ == b {
				e.pred.t.succ = pull
			} else {
				e.pred.f.succ = pull
			}
		}
	} else {
		differs.succ = pull
	}
	o.changed = true
}
