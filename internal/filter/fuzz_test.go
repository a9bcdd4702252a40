package filter

import (
	"errors"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// FuzzFilter parses and compiles anything, and runs what comes out on
// anything: nothing panics, errors are of the documented types and point into
// the expression, programs are ones that other machines take and that give the
// same answers there, and what matches has the addresses that it must have.
func FuzzFilter(f *testing.F) {
	for i, expr := range expressions(f) {
		if i%9 == 0 {
			f.Add(expr, uint16(i/9), []byte("\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x01\x08\x00E\x00\x00\x14"))
		}
	}
	f.Fuzz(func(t *testing.T, expr string, link uint16, data []byte) {
		lt := packet.LinkType(link)
		e, err := Parse(expr)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("Parse(%q): error is a %T", expr, err)
			}
			if se.Offset < 0 || se.Offset > len(expr) || se.Msg == "" {
				t.Fatalf("Parse(%q): error is %+v", expr, se)
			}
			se.Caret()
			return
		}
		if again, err := Parse(e.String()); err != nil || again.String() != expr {
			t.Fatalf("Parse(%q) a second time: %v", expr, err)
		}
		wireLen := uint32(len(data))
		if p, err := e.Compile(lt); err != nil {
			checkCompileError(t, expr, lt, err)
		} else {
			raw := p.Raw()
			got := p.Match(data, wireLen)
			if want := reference(raw, data, wireLen) != 0; got != want {
				t.Fatalf("%q on %s: match is %v, reference says %v for %x", expr, lt, got, want, data)
			}
			if got {
				checkHosts(t, e, lt, data)
			}
			if !loops(raw) {
				checkOtherMachine(t, expr, raw, data, got)
			}
		}
	})
}

func checkCompileError(t *testing.T, expr string, lt packet.LinkType, err error) {
	var se *SyntaxError
	var le *LinkTypeError
	switch {
	case errors.As(err, &se) && se.Offset <= len(expr):
	case errors.As(err, &le) && le.Offset >= -1 && le.Offset <= len(expr) && le.Reason != "":
	default:
		t.Fatalf("%q on %s: error is %T: %v", expr, lt, err, err)
	}
}

// loops says whether a program jumps backwards.
func loops(raw []bpf.RawInstruction) bool {
	for _, in := range raw {
		if in.Op == opJa && int32(in.K) < 0 {
			return true
		}
	}
	return false
}

// checkOtherMachine runs a program on the machine of golang.org/x/net/bpf,
// which validates it, too. It knows no extensions.
func checkOtherMachine(t *testing.T, expr string, raw []bpf.RawInstruction, data []byte, want bool) {
	prog, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatalf("%q: program has unknown instructions: %v", expr, prog)
	}
	for _, in := range prog {
		if ext, isExt := in.(bpf.LoadExtension); isExt && ext.Num != bpf.ExtLen {
			return // an absurd offset, such as ether[0xfffff000]
		}
		if _, isNeg := in.(bpf.NegateA); isNeg {
			return // it knows the instruction but does not run it
		}
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatalf("%q: program is not valid: %v\n%v", expr, err, prog)
	}
	n, err := vm.Run(data)
	if err != nil {
		t.Fatalf("%q: %v", expr, err)
	}
	if (n != 0) != want {
		t.Fatalf("%q: match is %v, but %d on the other machine, for %x", expr, want, n, data)
	}
}
