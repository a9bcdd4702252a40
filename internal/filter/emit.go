package filter

import (
	"errors"

	"golang.org/x/net/bpf"
)

var errLocalJump = errors.New("the expression is too complex: a jump inside a block is too far")

// emit lays the blocks out in memory, each before those it leads to, so that
// all jumps between them go forward. Conditional jumps reach 255 instructions;
// where that is too near, an unconditional jump is put behind the block, which
// moves the others, so that the layout is done again until all jumps reach.
func emit(root *block) ([]bpf.RawInstruction, error) {
	order := layOut(root)
	for {
		size := 0
		for _, b := range order {
			b.pos = size
			size += b.size()
		}
		grown := false
		for _, b := range order {
			if b.isRet() {
				continue
			}
			if !b.longT && b.t.succ.pos-b.test()-1 > 255 {
				b.longT, grown = true, true
			}
			if !b.longF && b.f.succ.pos-b.test()-1 > 255 {
				b.longF, grown = true, true
			}
		}
		if grown {
			continue
		}
		code := make([]bpf.RawInstruction, 0, size)
		for _, b := range order {
			var err error
			if code, err = b.emit(code); err != nil {
				return nil, err
			}
		}
		return code, nil
	}
}

// test is the index of the instruction that ends the block.
func (b *block) test() int { return b.pos + len(b.stmts) }

func (b *block) size() int {
	n := len(b.stmts) + 1
	if b.longT {
		n++
	}
	if b.longF {
		n++
	}
	return n
}

// layOut orders the blocks so that each comes before its successors, and its
// true successor as close as can be.
func layOut(root *block) []*block {
	var reversed []*block
	type visit struct {
		b    *block
		done bool // its successors have been visited
	}
	seen := map[*block]bool{}
	stack := []visit{{root, false}}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case v.done:
			reversed = append(reversed, v.b)
		case !seen[v.b]:
			seen[v.b] = true
			stack = append(stack, visit{v.b, true})
			if !v.b.isRet() {
				stack = append(stack, visit{v.b.t.succ, false}, visit{v.b.f.succ, false})
			}
		}
	}
	order := make([]*block, len(reversed))
	for i, b := range reversed {
		order[len(order)-1-i] = b
	}
	return order
}

// emit appends the block's instructions.
func (b *block) emit(code []bpf.RawInstruction) ([]bpf.RawInstruction, error) {
	var index map[*stmt]int // only if there are jumps inside
	for i, s := range b.stmts {
		ins := bpf.RawInstruction{Op: s.op, K: s.k}
		if s.jt != nil {
			if index == nil {
				index = make(map[*stmt]int, len(b.stmts))
				for j, t := range b.stmts {
					index[t] = j
				}
			}
			jt, jf := index[s.jt]-i-1, index[s.jf]-i-1
			if jt < 0 || jt > 255 || jf < 0 || jf > 255 {
				return nil, errLocalJump
			}
			ins.Jt, ins.Jf = uint8(jt), uint8(jf)
		}
		code = append(code, ins)
	}
	if b.isRet() {
		return append(code, bpf.RawInstruction{Op: b.op, K: b.k}), nil
	}
	ins := bpf.RawInstruction{Op: b.op, K: b.k}
	var far []bpf.RawInstruction
	reach := func(to *block, long bool) uint8 {
		off := to.pos - b.test() - 1
		if !long {
			return uint8(off)
		}
		far = append(far, bpf.RawInstruction{Op: opJa, K: uint32(off - len(far) - 1)})
		return uint8(len(far) - 1)
	}
	ins.Jt = reach(b.t.succ, b.longT)
	ins.Jf = reach(b.f.succ, b.longF)
	return append(append(code, ins), far...), nil
}
