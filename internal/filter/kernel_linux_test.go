package filter

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestKernelTakesPrograms attaches programs to a packet socket that is bound
// to no protocol, so that the kernel's own check sees them.
func TestKernelTakesPrograms(t *testing.T) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) {
		t.Skip("no permission for a packet socket")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	links := []packet.LinkType{packet.LinkTypeEthernet, packet.LinkTypeRaw, packet.LinkTypeRadiotap, packet.LinkTypePPP}
	n := 0
	for _, expr := range expressions(t) {
		e, err := Parse(expr)
		if err != nil {
			continue
		}
		for _, lt := range links {
			raw, err := e.CompileKernel(lt)
			if err != nil {
				continue
			}
			prog := make([]unix.SockFilter, len(raw))
			for i, in := range raw {
				prog[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
			}
			err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
				&unix.SockFprog{Len: uint16(len(prog)), Filter: unsafe.SliceData(prog)})
			if err != nil {
				t.Errorf("%q on %s: the kernel refuses the program: %v\n%v", expr, lt, err, raw)
			}
			n++
		}
	}
	t.Logf("the kernel took %d programs", n)
}
