package filter

// A valueTable gives equal computations equal numbers. 0 stands for a value
// of which nothing is known.
type valueTable struct {
	numbers map[computation]uint32
	consts  map[uint32]uint32 // by value number
}

// A computation is an instruction with the value numbers, or the constant,
// that it works on.
type computation struct {
	op   uint16
	a, b uint32
}

func (v *valueTable) reset() {
	if v.numbers == nil {
		v.numbers, v.consts = map[computation]uint32{}, map[uint32]uint32{}
	}
	clear(v.numbers)
	clear(v.consts)
}

func (v *valueTable) of(op uint16, a, b uint32) uint32 {
	c := computation{op, a, b}
	n, ok := v.numbers[c]
	if !ok {
		n = uint32(len(v.numbers)) + 1
		v.numbers[c] = n
	}
	return n
}

// constant returns the number of a constant.
func (v *valueTable) constant(k uint32) uint32 {
	n := v.of(opLdImm, k, 0)
	v.consts[n] = k
	return n
}

func (v *valueTable) isConst(n uint32) (k uint32, ok bool) {
	k, ok = v.consts[n]
	return k, ok
}

// block computes the values at the end of a block from those at the ends of
// the blocks before it. If statements is set it simplifies on the way.
func (o *optimizer) block(b *block, statements bool) error {
	vals := &b.opt.vals
	*vals = [nAtoms]uint32{}
	for i, e := range b.opt.in {
		before := &e.opt.pred.opt.vals
		if i == 0 {
			*vals = *before
			continue
		}
		for atom := range vals {
			if vals[atom] != before[atom] {
				vals[atom] = 0
			}
		}
	}
	a, x := vals[atomA], vals[atomX]
	for _, s := range b.stmts {
		if err := o.statement(s, vals, statements); err != nil {
			return err
		}
	}
	// If nothing that the block computes is used, and it leaves A and X as
	// they were, or if it returns, its statements are for nothing.
	unused := b.opt.outUse == 0 && a != 0 && vals[atomA] == a && x != 0 && vals[atomX] == x
	if statements && (unused || b.isRet()) {
		if b.stmts != nil {
			b.stmts = nil
			o.simplify()
		}
	} else {
		o.peephole(b)
		o.removeDead(b)
	}
	if b.op&srcX == 0 || b.isRet() {
		b.opt.operand = o.values.constant(b.k)
	} else {
		b.opt.operand = vals[atomX]
	}
	return nil
}

// statement computes what a statement leaves. If alter is set it replaces the
// statement by a simpler one, or removes it when it changes nothing.
func (o *optimizer) statement(s *stmt, vals *[nAtoms]uint32, alter bool) error {
	v := &o.values
	set := func(atom int, n uint32) {
		if alter && n != 0 && vals[atom] == n {
			s.op = opNop
			return
		}
		vals[atom] = n
	}
	switch s.op {
	case opLdImm:
		set(atomA, v.constant(s.k))
		return nil
	case opLdxImm:
		set(atomX, v.constant(s.k))
		return nil
	case opLdLen:
		set(atomA, v.of(s.op, 0, 0))
		return nil
	case opLdxMsh:
		set(atomX, v.of(s.op, s.k, 0))
		return nil
	case opLdMem, opLdxMem:
		n, atom, imm := vals[s.k], atomA, opLdImm
		if s.op == opLdxMem {
			atom, imm = atomX, opLdxImm
		}
		if k, ok := v.isConst(n); alter && ok {
			s.op, s.k = imm, k
			o.simplify()
		}
		set(atom, n)
		return nil
	case opSt:
		set(int(s.k), vals[atomA])
		return nil
	case opStx:
		set(int(s.k), vals[atomX])
		return nil
	case opTax:
		set(atomX, vals[atomA])
		return nil
	case opTxa:
		set(atomA, vals[atomX])
		return nil
	case opNeg:
		if k, ok := v.isConst(vals[atomA]); alter && ok {
			s.op, s.k = opLdImm, -k
			vals[atomA] = v.constant(s.k)
		} else {
			vals[atomA] = v.of(s.op, vals[atomA], 0)
		}
		return nil
	}
	switch {
	case s.op == opNop:
	case s.op&clsMask == clsLd && s.op&modeMask == modeAbs:
		set(atomA, v.of(s.op, s.k, 0))
	case s.op&clsMask == clsLd && s.op&modeMask == modeInd:
		if k, ok := v.isConst(vals[atomX]); alter && ok {
			s.op, s.k = clsLd|modeAbs|s.op&sizeMask, s.k+k
			o.simplify()
			set(atomA, v.of(s.op, s.k, 0))
		} else {
			set(atomA, v.of(s.op, s.k, vals[atomX]))
		}
	case s.op&clsMask == clsALU && s.op&srcX == 0:
		return o.aluConst(s, vals, alter)
	case s.op&clsMask == clsALU:
		return o.aluX(s, vals, alter)
	}
	return nil
}

// aluConst is an operation on A and a constant.
func (o *optimizer) aluConst(s *stmt, vals *[nAtoms]uint32, alter bool) error {
	v, op := &o.values, s.op&operMsk
	if alter && s.k == 0 {
		switch op {
		case aluAdd, aluLsh, aluRsh, aluOr, aluXor:
			s.op = opNop
			return nil
		case aluMul, aluAnd:
			s.op = opLdImm
			vals[atomA] = v.constant(0)
			return nil
		case aluDiv, aluMod:
			return errDivByZero
		}
		// "sub #0" stays: the comparison after it may be merged with it.
	}
	if k, ok := v.isConst(vals[atomA]); alter && ok {
		return o.fold(s, vals, k, s.k)
	}
	vals[atomA] = v.of(s.op, vals[atomA], v.constant(s.k))
	return nil
}

// aluX is an operation on A and X.
func (o *optimizer) aluX(s *stmt, vals *[nAtoms]uint32, alter bool) error {
	v, op := &o.values, s.op&operMsk
	a, aConst := v.isConst(vals[atomA])
	x, xConst := v.isConst(vals[atomX])
	switch {
	case alter && xConst && aConst:
		return o.fold(s, vals, a, x)
	case alter && xConst:
		if (op == aluLsh || op == aluRsh) && x > 31 {
			return errShift
		}
		s.op, s.k = clsALU|op, x
		o.simplify()
		vals[atomA] = v.of(s.op, vals[atomA], v.constant(x))
		return nil
	case alter && aConst && a == 0:
		switch op {
		case aluAdd, aluOr, aluXor:
			s.op = opTxa
			if vals[atomX] != 0 && vals[atomA] == vals[atomX] {
				s.op = opNop
			}
			vals[atomA] = vals[atomX]
			return nil
		case aluMul, aluDiv, aluMod, aluAnd, aluLsh, aluRsh:
			// A is 0 already.
			s.op = opNop
			return nil
		}
	}
	vals[atomA] = v.of(s.op, vals[atomA], vals[atomX])
	return nil
}

// fold replaces an operation on two constants by its result.
func (o *optimizer) fold(s *stmt, vals *[nAtoms]uint32, a, b uint32) error {
	op := s.op & operMsk
	if (op == aluDiv || op == aluMod) && b == 0 {
		return errDivByZero
	}
	s.op, s.k = opLdImm, alu(op, a, b)
	vals[atomA] = o.values.constant(s.k)
	o.simplify()
	return nil
}

// alu is the machine's arithmetic; b is not 0 where it divides.
func alu(op uint16, a, b uint32) uint32 {
	switch op {
	case aluAdd:
		return a + b
	case aluSub:
		return a - b
	case aluMul:
		return a * b
	case aluDiv:
		return a / b
	case aluMod:
		return a % b
	case aluAnd:
		return a & b
	case aluOr:
		return a | b
	case aluXor:
		return a ^ b
	case aluLsh:
		return a << b
	case aluRsh:
		return a >> b
	}
	return -a
}
