package filter

import (
	"encoding/binary"
	"slices"
)

// A blockKey is equal for blocks that do the same and go on to the same.
type blockKey struct {
	op    uint16
	k     uint32
	t, f  *block
	stmts string
}

// mergeEqual makes equal blocks one, again and again, since that can make the
// blocks before them equal.
func (o *optimizer) mergeEqual() {
	stmts := make([]string, len(o.blocks))
	for i, b := range o.blocks {
		b.stmts = slices.DeleteFunc(b.stmts, func(s *stmt) bool { return s.op == opNop })
		var code []byte
		for _, s := range b.stmts {
			code = binary.BigEndian.AppendUint16(code, s.op)
			code = binary.BigEndian.AppendUint32(code, s.k)
		}
		stmts[i] = string(code)
	}
	for changed := true; changed; {
		changed = false
		alive := o.alive()
		// Of several equal blocks the last one stays.
		last := make(map[blockKey]*block)
		for i, b := range slices.Backward(o.blocks) {
			b.opt.same = nil
			if !alive[i] {
				continue
			}
			key := blockKey{b.op, b.k, b.t.succ, b.f.succ, stmts[i]}
			if c := last[key]; c != nil {
				b.opt.same = c
			} else {
				last[key] = b
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
