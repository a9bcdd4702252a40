package filter

// mergeEqual makes blocks that do the same and go on to the same one block.
func (o *optimizer) mergeEqual() {
	for _, b := range o.blocks {
		b.stmts = dropNops(b.stmts)
	}
	for changed := true; changed; {
		changed = false
		for _, b := range o.blocks {
			b.opt.same = nil
		}
		alive := o.alive()
		for i := len(o.blocks) - 2; i >= 0; i-- {
			if !alive[i] {
				continue
			}
			for j := i + 1; j < len(o.blocks); j++ {
				if alive[j] && equalBlocks(o.blocks[i], o.blocks[j]) {
					o.blocks[i].opt.same = o.blocks[j]
					if further := o.blocks[j].opt.same; further != nil {
						o.blocks[i].opt.same = further
					}
					break
				}
			}
		}
		for _, b := range o.blocks {
			if b.isRet() {
				continue
			}
			for _, e := range []*edge{&b.t, &b.f} {
				if e.succ.opt.same != nil {
					e.succ = e.succ.opt.same
					changed = true
				}
			}
		}
	}
}

// alive says by number which blocks can be reached.
func (o *optimizer) alive() []bool {
	alive := make([]bool, len(o.blocks))
	stack := []*block{o.root}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if alive[b.opt.id] {
			continue
		}
		alive[b.opt.id] = true
		if !b.isRet() {
			stack = append(stack, b.t.succ, b.f.succ)
		}
	}
	return alive
}

func equalBlocks(a, b *block) bool {
	if a.op != b.op || a.k != b.k || a.t.succ != b.t.succ || a.f.succ != b.f.succ ||
		len(a.stmts) != len(b.stmts) {
		return false
	}
	for i, s := range a.stmts {
		if s.op != b.stmts[i].op || s.k != b.stmts[i].k {
			return false
		}
	}
	return true
}
