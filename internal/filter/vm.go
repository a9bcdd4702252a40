package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// An insn is an instruction made ready to run: jumps are absolute, and the
// operation is one of a dense range, so that the switch becomes a table.
type insn struct {
	op     runOp
	k      uint32
	jt, jf uint32
}

type runOp uint8

const (
	runRet runOp = iota
	runLdAbsW
	runLdAbsH
	runLdAbsB
	runLdIndW
	runLdIndH
	runLdIndB
	runLdLen
	runLdImm
	runLdMem
	runLdxImm
	runLdxMem
	runLdxMsh
	runSt
	runStx
	runTax
	runTxa
	runJa
	runJeq
	runJgt
	runJge
	runJset
	runJeqX
	runJgtX
	runJgeX
	runALU
	runALUX
	runNever // an instruction that the machine does not have
)

var runOps = map[uint16]runOp{
	opRet:                   runRet,
	clsLd | modeAbs | sizeW: runLdAbsW,
	clsLd | modeAbs | sizeH: runLdAbsH,
	clsLd | modeAbs | sizeB: runLdAbsB,
	clsLd | modeInd | sizeW: runLdIndW,
	clsLd | modeInd | sizeH: runLdIndH,
	clsLd | modeInd | sizeB: runLdIndB,
	opLdLen:                 runLdLen,
	opLdImm:                 runLdImm,
	opLdMem:                 runLdMem,
	opLdxImm:                runLdxImm,
	opLdxMem:                runLdxMem,
	opLdxMsh:                runLdxMsh,
	opSt:                    runSt,
	opStx:                   runStx,
	opTax:                   runTax,
	opTxa:                   runTxa,
	opJa:                    runJa,
	opJeq:                   runJeq,
	clsJmp | jmpGt:          runJgt,
	clsJmp | jmpGe:          runJge,
	opJset:                  runJset,
	opJeqX:                  runJeqX,
	clsJmp | jmpGt | srcX:   runJgtX,
	clsJmp | jmpGe | srcX:   runJgeX,
}

// ready makes instructions ready to run.
func ready(raw []bpf.RawInstruction) []insn {
	code := make([]insn, len(raw))
	for i, r := range raw {
		op, ok := runOps[r.Op]
		switch {
		case ok:
		case r.Op&clsMask == clsALU && r.Op&srcX != 0:
			op = runALUX
		case r.Op&clsMask == clsALU:
			op = runALU
		default:
			op = runNever
		}
		n := insn{op: op, k: r.K, jt: uint32(i + 1 + int(r.Jt)), jf: uint32(i + 1 + int(r.Jf))}
		switch op {
		case runJa:
			// "protochain" jumps backwards.
			n.jt = uint32(i+1) + r.K
		case runALU, runALUX:
			n.jt = uint32(r.Op & operMsk)
		}
		code[i] = n
	}
	return code
}

// run runs a program on a packet of which data was captured and returns what
// the program does: 0 to reject the packet. A load past the end of data and a
// division by zero reject it, too.
func run(code []insn, data []byte, wireLen uint32) uint32 {
	var a, x uint32
	var mem [memWords]uint32
	size := uint64(len(data))
	for pc := uint32(0); pc < uint32(len(code)); {
		in := &code[pc]
		pc++
		k := uint64(in.k)
		switch in.op {
		case runRet:
			return in.k
		case runLdAbsW:
			if k+4 > size {
				return 0
			}
			a = binary.BigEndian.Uint32(data[k:])
		case runLdAbsH:
			if k+2 > size {
				return 0
			}
			a = uint32(binary.BigEndian.Uint16(data[k:]))
		case runLdAbsB:
			if k >= size {
				return 0
			}
			a = uint32(data[k])
		case runLdIndW:
			if k += uint64(x); k+4 > size {
				return 0
			}
			a = binary.BigEndian.Uint32(data[k:])
		case runLdIndH:
			if k += uint64(x); k+2 > size {
				return 0
			}
			a = uint32(binary.BigEndian.Uint16(data[k:]))
		case runLdIndB:
			if k += uint64(x); k >= size {
				return 0
			}
			a = uint32(data[k])
		case runLdLen:
			a = wireLen
		case runLdImm:
			a = in.k
		case runLdMem:
			a = mem[k%memWords]
		case runLdxImm:
			x = in.k
		case runLdxMem:
			x = mem[k%memWords]
		case runLdxMsh:
			if k >= size {
				return 0
			}
			x = uint32(data[k]&0xf) << 2
		case runSt:
			mem[k%memWords] = a
		case runStx:
			mem[k%memWords] = x
		case runTax:
			x = a
		case runTxa:
			a = x
		case runJa:
			pc = in.jt
		case runJeq:
			pc = in.jf
			if a == in.k {
				pc = in.jt
			}
		case runJgt:
			pc = in.jf
			if a > in.k {
				pc = in.jt
			}
		case runJge:
			pc = in.jf
			if a >= in.k {
				pc = in.jt
			}
		case runJset:
			pc = in.jf
			if a&in.k != 0 {
				pc = in.jt
			}
		case runJeqX:
			pc = in.jf
			if a == x {
				pc = in.jt
			}
		case runJgtX:
			pc = in.jf
			if a > x {
				pc = in.jt
			}
		case runJgeX:
			pc = in.jf
			if a >= x {
				pc = in.jt
			}
		case runALU, runALUX:
			op, b := uint16(in.jt), in.k
			if in.op == runALUX {
				b = x
			}
			if b == 0 && (op == aluDiv || op == aluMod) {
				return 0
			}
			a = alu(op, a, b)
		default:
			return 0
		}
	}
	return 0
}
