package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// expressions reads those that all tests use.
func expressions(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "expressions.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			exprs = append(exprs, line)
		}
	}
	return exprs
}

// needTcpdump skips the test if tcpdump is not installed; CI must have it.
func needTcpdump(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS != "windows" {
			t.Fatal("tcpdump, which this test compares with, is not installed")
		}
		t.Skip("tcpdump, which this test compares with, is not installed")
	}
}

// An oracle asks tcpdump for the program that it makes of an expression.
type oracle struct {
	dir  string
	mu   sync.Mutex
	made map[string]bool // files that there are in dir
}

func newOracle(t testing.TB) *oracle {
	needTcpdump(t)
	return &oracle{dir: t.TempDir(), made: map[string]bool{}}
}

// compile returns tcpdump's program, or its complaint. The byte order is that
// of the file, which matters for NULL.
func (o *oracle) compile(lt packet.LinkType, order binary.AppendByteOrder, expr string) (prog []bpf.RawInstruction, refusal string, err error) {
	name := filepath.Join(o.dir, fmt.Sprintf("%d-%s.pcap", lt, order))
	o.mu.Lock()
	if !o.made[name] {
		h := order.AppendUint32(nil, 0xa1b2c3d4)
		h = order.AppendUint16(h, 2)
		h = order.AppendUint16(h, 4)
		h = append(h, make([]byte, 8)...)
		h = order.AppendUint32(h, acceptLen)
		h = order.AppendUint32(h, uint32(lt))
		err = os.WriteFile(name, h, 0o600)
		o.made[name] = true
	}
	o.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	return o.programOf("-r", name, "--", expr)
}

func (o *oracle) programOf(args ...string) (prog []bpf.RawInstruction, refusal string, err error) {
	stdout, complaint := o.run(append([]string{"-n", "-ddd"}, args...)...)
	if len(stdout) == 0 {
		if complaint == "" {
			return nil, "", fmt.Errorf("tcpdump -ddd %q: no output", args)
		}
		return nil, complaint, nil
	}
	for i, line := range strings.Split(strings.TrimSpace(string(stdout)), "\n") {
		if i == 0 {
			continue // the number of instructions
		}
		var n [4]uint64
		for j, f := range strings.Fields(line) {
			if n[j], err = strconv.ParseUint(f, 10, 32); err != nil {
				return nil, "", err
			}
		}
		prog = append(prog, bpf.RawInstruction{Op: uint16(n[0]), Jt: uint8(n[1]), Jf: uint8(n[2]), K: uint32(n[3])})
	}
	return prog, "", nil
}

// run runs tcpdump and returns its output and, if it failed, its last words.
func (o *oracle) run(args ...string) (stdout []byte, complaint string) {
	var out, errs bytes.Buffer
	cmd := exec.Command("tcpdump", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil {
		return out.Bytes(), ""
	}
	for line := range strings.Lines(errs.String()) {
		if msg, ok := strings.CutPrefix(line, "tcpdump: "); ok {
			complaint = strings.TrimSpace(msg)
		}
	}
	return out.Bytes(), complaint
}

// reference is the classic BPF machine written plainly, to compare with. It
// takes the programs of tcpdump, which may jump backwards.
func reference(prog []bpf.RawInstruction, data []byte, wireLen uint32) uint32 {
	var a, x uint32
	var mem [16]uint32
	load := func(off uint64, size uint16) bool {
		n := map[uint16]uint64{0x00: 4, 0x08: 2, 0x10: 1}[size]
		if off+n > uint64(len(data)) {
			return false
		}
		a = 0
		for _, b := range data[off : off+n] {
			a = a<<8 | uint32(b)
		}
		return true
	}
	for pc := 0; pc < len(prog); pc++ {
		in := prog[pc]
		class, size, mode := in.Op&7, in.Op&0x18, in.Op&0xe0
		operand := in.K
		if in.Op&8 != 0 {
			operand = x
		}
		jump := func(taken bool) {
			if taken {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
		switch {
		case class == 6:
			return in.K
		case class == 0 && mode == 0x20 && !load(uint64(in.K), size),
			class == 0 && mode == 0x40 && !load(uint64(in.K)+uint64(x), size):
			return 0
		case class == 0 && mode == 0x80:
			a = wireLen
		case class == 0 && mode == 0:
			a = in.K
		case class == 0 && mode == 0x60:
			a = mem[in.K]
		case class == 0:
		case class == 1 && mode == 0:
			x = in.K
		case class == 1 && mode == 0x60:
			x = mem[in.K]
		case class == 1 && mode == 0xa0:
			if uint64(in.K) >= uint64(len(data)) {
				return 0
			}
			x = uint32(data[in.K]&15) * 4
		case class == 2:
			mem[in.K] = a
		case class == 3:
			mem[in.K] = x
		case class == 7 && in.Op == 0x07:
			x = a
		case class == 7:
			a = x
		case class == 5 && in.Op == 0x05:
			pc += int(int32(in.K))
		case class == 5:
			switch in.Op & 0xf0 {
			case 0x10:
				jump(a == operand)
			case 0x20:
				jump(a > operand)
			case 0x30:
				jump(a >= operand)
			case 0x40:
				jump(a&operand != 0)
			}
		case class == 4:
			switch in.Op & 0xf0 {
			case 0x00:
				a += operand
			case 0x10:
				a -= operand
			case 0x20:
				a *= operand
			case 0x30, 0x90:
				if operand == 0 {
					return 0
				}
				if in.Op&0xf0 == 0x30 {
					a /= operand
				} else {
					a %= operand
				}
			case 0x40:
				a |= operand
			case 0x50:
				a &= operand
			case 0x60:
				a <<= operand
			case 0x70:
				a >>= operand
			case 0x80:
				a = -a
			case 0xa0:
				a ^= operand
			}
		}
	}
	return 0
}

// parallel runs f for 0 to n-1 on as many goroutines as keep two cores busy
// with starting processes.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range 4 {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
