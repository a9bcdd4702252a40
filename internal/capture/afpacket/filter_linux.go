package afpacket

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// maxProgram is the kernel's limit on instructions (BPF_MAXINSNS).
const maxProgram = 4096

// acceptAll is a result that cuts no packet.
const acceptAll = packet.MaxLen

// A judgement is a capture filter divided between the kernel and the walker.
// The filter is written for packets as they are stored, and the kernel sees
// some otherwise: VLAN tags are kept apart, cooked sockets show no header, CAN
// identifiers are in host order. So the kernel lets those through, and the
// walker judges them after rewriting.
type judgement struct {
	kernel   []bpf.RawInstruction // nil for none
	match    func(data []byte, origLen uint32) bool
	matchAll bool
}

// divide prepares a filter for a socket.
func divide(f capture.Filter, lt packet.LinkType, cooked bool) (judgement, error) {
	if f.Compile == nil {
		return judgement{}, nil
	}
	p, err := f.Compile(lt)
	if err != nil {
		return judgement{}, fmt.Errorf("capture filter %q for %v: %w", f.Text, lt, err)
	}
	preamble, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtVLANTagPresent},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: acceptAll},
	})
	if err != nil {
		return judgement{}, fmt.Errorf("capture filter %q: %w", f.Text, err)
	}
	if cooked || lt == linkTypeSocketCAN || len(preamble)+len(p.Instructions) > maxProgram {
		return judgement{match: p.Match, matchAll: true}, nil
	}
	return judgement{kernel: append(preamble, p.Instructions...), match: p.Match}, nil
}

// attach lets the kernel apply its part. A program that it does not take, since
// it has a loop ("protochain") or reads a scratch word that may not have been
// written, is left to the walker.
func (j judgement) attach(fd int) (judgement, error) {
	if j.kernel == nil {
		return j, nil
	}
	err := attach(fd, j.kernel)
	if errors.Is(err, unix.EINVAL) {
		return judgement{match: j.match, matchAll: true}, nil
	}
	return j, err
}

// attach lets the kernel apply a program to what the socket receives from now on.
func attach(fd int, p []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(p))
	for i, in := range p {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// attachNothing makes the socket receive no more packets.
func attachNothing(fd int) error {
	reject, err := bpf.RetConstant{Val: 0}.Assemble()
	if err != nil {
		return err
	}
	return attach(fd, []bpf.RawInstruction{reject})
}
