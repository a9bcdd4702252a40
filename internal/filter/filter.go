package filter

import (
	"errors"
	"net/netip"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// An Expr is a filter expression that has been found well formed. It is
// immutable and can be compiled for any number of link types.
type Expr struct {
	text  string
	root  node // nil if the expression is empty
	hosts [][]netip.Addr
}

// Parse reads an expression in the language of pcap-filter(7). An empty one
// matches every packet. An error is a *SyntaxError; it says what no link type
// can make sense of. What only some link types can is left to Compile.
func Parse(expr string) (*Expr, error) {
	root, err := parse(expr)
	if err != nil {
		return nil, err
	}
	e := &Expr{text: expr, root: root}
	if root != nil {
		g := newGenerator(expr, packet.LinkTypeEthernet, modeCheck)
		p := root.gen(g)
		if g.err != nil {
			return nil, g.err
		}
		e.hosts = p.hosts()
	}
	return e, nil
}

// String returns the expression as it was given to Parse.
func (e *Expr) String() string { return e.text }

// Compile makes a program that matches stored packets of link type lt. It
// fails with a *LinkTypeError where the expression does not apply to the link
// type or can match no packet of it, and with a *SyntaxError where arithmetic
// cannot be done or the program would be too long.
func (e *Expr) Compile(lt packet.LinkType) (*Program, error) {
	if e.root == nil {
		return newProgram([]bpf.RawInstruction{{Op: opRet, K: acceptLen}}), nil
	}
	raw, err := e.compile(lt)
	if err != nil {
		return nil, err
	}
	return newProgram(raw), nil
}

func (e *Expr) compile(lt packet.LinkType) (raw []bpf.RawInstruction, err error) {
	g := newGenerator(e.text, lt, modeStored)
	p := e.root.gen(g)
	first := p.first()
	var start *stmt
	if len(first.stmts) > 0 {
		start = first.stmts[0]
	}
	first.stmts = append(g.prefix(start), first.stmts...)
	if g.outermost == packet.LinkTypePPI {
		p = and(g.ppiCheck(), p)
	}
	if g.err != nil {
		return nil, g.err
	}
	root := p.link(&block{op: opRet, k: acceptLen}, &block{op: opRet, k: 0})
	if !g.asIs {
		root, err = optimize(root)
		if err == nil && root.isRet() && root.k == 0 {
			return nil, &LinkTypeError{Expr: e.text, Offset: -1, LinkType: lt, Reason: reasonNever}
		}
	}
	if err == nil {
		raw, err = emit(root)
	}
	if err != nil {
		return nil, &SyntaxError{Expr: e.text, Msg: err.Error()}
	}
	return raw, nil
}

// A Program decides which packets of one link type match. It is immutable and
// safe for concurrent use.
type Program struct {
	raw  []bpf.RawInstruction
	code []insn
}

func newProgram(raw []bpf.RawInstruction) *Program {
	return &Program{raw: raw, code: ready(raw)}
}

// Match says whether a packet matches: data are its captured bytes from the
// link layer on, wireLen its length on the wire in bytes. A condition on bytes
// that were not captured does not hold, nor does its opposite: the packet is
// rejected, as by tcpdump. Match does not allocate.
func (p *Program) Match(data []byte, wireLen uint32) bool {
	return run(p.code, data, wireLen) != 0
}

// Raw returns the program as classic BPF, which returns 262144 for a packet
// that matches and 0 for others. A program for 'protochain' jumps backwards,
// which kernels and golang.org/x/net/bpf refuse.
func (p *Program) Raw() []bpf.RawInstruction {
	return append([]bpf.RawInstruction(nil), p.raw...)
}

const reasonNever = "no packet of it can match"

// neverMatches says whether err is that no packet can match.
func neverMatches(err error) bool {
	var lte *LinkTypeError
	return errors.As(err, &lte) && lte.Reason == reasonNever
}

// refused says whether err is about the link type only.
func refused(err error) bool {
	var lte *LinkTypeError
	return errors.As(err, &lte)
}
