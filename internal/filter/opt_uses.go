package filter

// reads returns the atoms that an instruction reads.
func (s *stmt) reads() atomSet {
	if s.op == opNop {
		return 0
	}
	return opReads(s.op, s.k)
}

func opReads(op uint16, k uint32) atomSet {
	switch op & clsMask {
	case clsLd, clsLdx:
		switch op & modeMask {
		case modeInd:
			return 1 << atomX
		case modeMem:
			return 1 << k
		}
	case clsSt:
		return 1 << atomA
	case clsStx:
		return 1 << atomX
	case clsJmp, clsALU:
		if op&srcX != 0 {
			return 1<<atomA | 1<<atomX
		}
		return 1 << atomA
	case clsMisc:
		if op == opTxa {
			return 1 << atomX
		}
		return 1 << atomA
	}
	return 0
}

// writes returns the atom that an instruction writes, -1 if none.
func (s *stmt) writes() int {
	if s.op == opNop {
		return -1
	}
	switch s.op & clsMask {
	case clsLd, clsALU:
		return atomA
	case clsLdx:
		return atomX
	case clsSt, clsStx:
		return int(s.k)
	case clsMisc:
		if s.op == opTax {
			return atomX
		}
		return atomA
	}
	return -1
}

// findUses computes which atoms each block reads and overwrites, and which
// are read after it.
func (o *optimizer) findUses() {
	for _, level := range o.levels {
		for _, b := range level {
			var defined atomSet
			b.opt.use, b.opt.kill = 0, 0
			for _, s := range b.stmts {
				b.opt.use |= s.reads() &^ defined
				if w := s.writes(); w >= 0 {
					b.opt.kill |= 1 << w &^ b.opt.use
					defined |= 1 << w
				}
			}
			if !b.isRet() {
				b.opt.use |= opReads(b.op, b.k) &^ defined
			}
			b.opt.outUse = 0
		}
	}
	for _, level := range o.levels[1:] {
		for _, b := range level {
			b.opt.outUse = b.t.succ.opt.use | b.f.succ.opt.use
			b.opt.use |= b.opt.outUse &^ b.opt.kill
		}
	}
}

// removeDead removes statements whose result nothing reads.
func (o *optimizer) removeDead(b *block) {
	var last [nAtoms]*stmt // that wrote the atom and was not read since
	read := func(atoms atomSet) {
		for atom := range last {
			if atoms.has(atom) {
				last[atom] = nil
			}
		}
	}
	remove := func(s *stmt) {
		s.op = opNop
		o.simplify()
	}
	for _, s := range b.stmts {
		read(s.reads())
		if w := s.writes(); w >= 0 {
			if last[w] != nil {
				remove(last[w])
			}
			last[w] = s
		}
	}
	read(opReads(b.op, b.k))
	for atom, s := range last {
		if s != nil && !b.opt.outUse.has(atom) {
			remove(s)
		}
	}
}
