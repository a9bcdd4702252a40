package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
		if os.Getenv("CI") == "true" {
			t.Fatal("tcpdump, which this test compares with, is not installed")
		}
		t.Skip("tcpdump, which this test compares with, is not installed")
	}
}

// An oracle asks tcpdump for the program that it makes of an expression.
type oracle struct {
	dir string
}

func newOracle(t testing.TB) *oracle {
	needTcpdump(t)
	return &oracle{t.TempDir()}
}

// compile returns tcpdump's program, or its complaint. The byte order is that
// of the file, which matters for NULL.
func (o *oracle) compile(lt packet.LinkType, order binary.AppendByteOrder, expr string) (prog []bpf.RawInstruction, refusal string, err error) {
	name := filepath.Join(o.dir, fmt.Sprintf("%d-%s.pcap", lt, order))
	if _, err := os.Stat(name); err != nil {
		h := order.AppendUint32(nil, 0xa1b2c3d4)
		h = order.AppendUint16(h, 2)
		h = order.AppendUint16(h, 4)
		h = append(h, make([]byte, 8)...)
		h = order.AppendUint32(h, 262144)
		h = order.AppendUint32(h, uint32(lt))
		if err := os.WriteFile(name, h, 0o600); err != nil {
			return nil, "", err
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("tcpdump", "-n", "-ddd", "-r", name, "--", expr)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		for line := range strings.Lines(stderr.String()) {
			if msg, ok := strings.CutPrefix(line, "tcpdump: "); ok {
				return nil, strings.TrimSpace(msg), nil
			}
		}
		return nil, "", fmt.Errorf("tcpdump -ddd %q: %w: %s", expr, err, stderr.String())
	}
	for i, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
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
