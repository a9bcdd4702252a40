package filter

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

// A testKey is what two tests must have in common for the outcome of one to
// say something about the other.
type testKey struct {
	op uint16
	a  uint32 // value number of A
}

func keyOf(b *block) testKey { return testKey{b.op, b.opt.vals[atomA]} }

// indexTests lists all edges by the test that they come from, in the order of
// their numbers.
func (o *optimizer) indexTests() {
	clear(o.tests)
	for _, e := range o.edges {
		if e.opt.pred.opt.level > 0 {
			k := keyOf(e.opt.pred)
			o.tests[k] = append(o.tests[k], e)
		}
	}
}

// thread leads an edge past tests whose outcome is known on that edge.
func (o *optimizer) thread(e *edge) {
	if e.succ.isRet() {
		return
	}
	if to := e.succ.t.succ; to == e.succ.f.succ && !dataConflict(e.opt.pred, to) {
		e.succ = to
		o.simplify()
	}
again:
	if e.succ.isRet() {
		return
	}
	tests := o.tests[keyOf(e.succ)]
	o.work += len(tests)
	for _, before := range tests {
		if !e.opt.dom.has(before.opt.id) {
			continue
		}
		to := implied(e.succ, before)
		if to == nil || dataConflict(e.opt.pred, to) {
			continue
		}
		e.succ = to
		o.changed = true
		goto again
	}
}

// implied returns where b leads, given that a path over e came before, whose
// test has the same key; nil if that can't be told. Tests agree when what they
// compare with is the same; and A that equals one number equals no other.
func implied(b *block, e *edge) *block {
	before := e.opt.pred
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
	val := b.opt.in[0].opt.pred.opt.vals[atomA]
	for _, e := range b.opt.in {
		if e.opt.pred.opt.vals[atomA] != val {
			return
		}
	}
	inChain := func(c *block) bool {
		return !c.isRet() && across(c).succ == across(b).succ && c.opt.dom.has(b.opt.id)
	}

	// differs leads to the first block of the chain that tests another value.
	first := b.opt.in[0].opt.pred
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
			if e.opt.pred.t.succ == b {
				e.opt.pred.t.succ = pull
			} else {
				e.opt.pred.f.succ = pull
			}
		}
	} else {
		differs.succ = pull
	}
	o.changed = true
}
