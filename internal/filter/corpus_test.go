package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A stored packet, as a capture file has it.
type stored struct {
	lt      packet.LinkType
	data    []byte
	wireLen uint32
}

// corpusFiles lists the well-formed captures that tests share, see
// PACKETCACHE_CORPUS in the documentation of the tests.
func corpusFiles(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("PACKETCACHE_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(dir, "dev", "*cap*"))
	if err == nil && len(files) > 0 {
		return files
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no captures in %s: %v", dir, err)
	}
	t.Skipf("no captures in %s; set PACKETCACHE_CORPUS", dir)
	return nil
}

// readCapture reads a pcap or pcapng file.
func readCapture(name string) ([]stored, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(b) >= 4 && binary.BigEndian.Uint32(b) == 0x0a0d0d0a {
		return readPcapng(b)
	}
	return readPcap(b)
}

func readPcap(b []byte) ([]stored, error) {
	if len(b) < 24 {
		return nil, fmt.Errorf("file of %d bytes", len(b))
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch binary.BigEndian.Uint32(b) {
	case 0xa1b2c3d4, 0xa1b23c4d:
		order = binary.BigEndian
	}
	lt := packet.LinkType(order.Uint32(b[20:]))
	var packets []stored
	for b = b[24:]; len(b) > 0; {
		if len(b) < 16 {
			return nil, fmt.Errorf("cut packet header")
		}
		n := int(order.Uint32(b[8:]))
		if n > len(b)-16 {
			return nil, fmt.Errorf("cut packet")
		}
		packets = append(packets, stored{lt, b[16 : 16+n], order.Uint32(b[12:])})
		b = b[16+n:]
	}
	return packets, nil
}

func readPcapng(b []byte) ([]stored, error) {
	var order binary.ByteOrder = binary.LittleEndian
	var links []packet.LinkType
	var packets []stored
	for len(b) > 0 {
		if len(b) < 12 {
			return nil, fmt.Errorf("cut block")
		}
		if binary.BigEndian.Uint32(b) == 0x0a0d0d0a {
			order, links = binary.LittleEndian, nil
			if binary.BigEndian.Uint32(b[8:]) == 0x1a2b3c4d {
				order = binary.BigEndian
			}
		}
		typ, n := order.Uint32(b), int(order.Uint32(b[4:]))
		if n < 12 || n > len(b) {
			return nil, fmt.Errorf("block of %d bytes", n)
		}
		body := b[8 : n-4]
		switch typ {
		case 1:
			links = append(links, packet.LinkType(order.Uint16(body)))
		case 2: // the obsolete packet block
			packets = append(packets, stored{links[order.Uint16(body)],
				body[20 : 20+order.Uint32(body[12:])], order.Uint32(body[16:])})
		case 3:
			size := min(order.Uint32(body), uint32(len(body)-4))
			packets = append(packets, stored{links[0], body[4 : 4+size], order.Uint32(body)})
		case 6:
			packets = append(packets, stored{links[order.Uint32(body)],
				body[20 : 20+order.Uint32(body[12:])], order.Uint32(body[16:])})
		}
		b = b[n:]
	}
	return packets, nil
}

// readCorpus reads all captures, by file.
func readCorpus(t testing.TB) map[string][]stored {
	all := map[string][]stored{}
	for _, name := range corpusFiles(t) {
		packets, err := readCapture(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = packets
	}
	return all
}

// differentCode says where tcpdump has errors that are not repeated here (see
// the package's documentation), or where both take a header's bytes in another
// order. There, what is chosen is compared, but not the code.
func differentCode(lt packet.LinkType, expr string) bool {
	return lt == packet.LinkTypeNull || lt == linkENC || strings.Contains(expr, "protochain") ||
		(isWLAN(lt) || lt == linkPFLOG) && (strings.Contains(expr, "pppoes") || strings.Contains(expr, "geneve"))
}

// TestCorpus compares which packets of the corpus are chosen, and which link
// types refused, with tcpdump, by running its program. Where our program is
// the same, instruction by instruction, so is what it chooses; then the first
// packets of each file do, which show that ours are run right.
func TestCorpus(t *testing.T) {
	o := newOracle(t)
	corpus := readCorpus(t)
	type kind struct {
		lt    packet.LinkType
		order binary.ByteOrder
	}
	const first = 40
	byKind := map[kind]*struct{ first, all []stored }{}
	for _, packets := range corpus {
		for i, p := range packets {
			// Some files say another byte order than their NULL packets have;
			// tcpdump reads none of these up to there.
			k := kind{p.lt, binary.LittleEndian}
			if p.lt == packet.LinkTypeNull && len(p.data) > 0 && p.data[0] == 0 {
				k.order = binary.BigEndian
			}
			ps := byKind[k]
			if ps == nil {
				ps = &struct{ first, all []stored }{}
				byKind[k] = ps
			}
			ps.all = append(ps.all, p)
			if i < first {
				ps.first = append(ps.first, p)
			}
		}
	}
	type job struct {
		kind
		expr string
	}
	var jobs []job
	exprs := expressions(t)
	for k := range byKind {
		for i, expr := range exprs {
			// Every expression on Ethernet, over 200 on each of the others.
			if k.lt == packet.LinkTypeEthernet || (i+int(k.lt))%12 < 5 {
				jobs = append(jobs, job{k, expr})
			}
		}
	}
	parallel(len(jobs), func(i int) {
		j := jobs[i]
		raw, refusal, err := o.compile(j.lt, j.order.(binary.AppendByteOrder), j.expr)
		if err != nil {
			t.Error(err)
			return
		}
		var p *Program
		e, err := Parse(j.expr)
		if err == nil {
			p, err = e.Compile(j.lt)
		}
		if (err != nil) != (refusal != "") {
			t.Errorf("%s on %s: error is %v, tcpdump's is %q", j.expr, j.lt, err, refusal)
			return
		}
		if err != nil {
			return
		}
		packets := byKind[j.kind].first
		if !slices.Equal(p.Raw(), raw) {
			packets = byKind[j.kind].all
			if !differentCode(j.lt, j.expr) {
				t.Errorf("%s on %s: code is not tcpdump's:\n%v\n%v", j.expr, j.lt, p.Raw(), raw)
			}
		}
		for _, pkt := range packets {
			got := p.Match(pkt.data, pkt.wireLen)
			if want := reference(raw, pkt.data, pkt.wireLen) != 0; got != want {
				t.Errorf("%s on %s: match is %v, tcpdump's %v, of %d bytes of %d: %x",
					j.expr, j.lt, got, want, len(pkt.data), pkt.wireLen, pkt.data[:min(len(pkt.data), 100)])
				return
			}
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("%d expressions, %d link types, %d files, %d programs", len(exprs), len(byKind), len(corpus), len(jobs))
}

// TestTcpdump runs tcpdump itself on each file of the corpus, with a few
// expressions each, and compares the packets that it writes.
func TestTcpdump(t *testing.T) {
	o := newOracle(t)
	exprs := expressions(t)
	files := corpusFiles(t)
	parallel(len(files), func(i int) {
		name := files[i]
		packets, err := readCapture(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, k := range []int{i, i + 177, i + 354} {
			expr := exprs[k%len(exprs)]
			stdout, complaint := o.run("-n", "-r", name, "-w", "-", "--", expr)
			var got []stored
			e, err := Parse(expr)
			if err == nil {
				var s *Set
				if s, err = NewSet(e); err == nil {
					for _, p := range packets {
						if s.Match(p.lt, p.data, p.wireLen) {
							got = append(got, p)
						}
					}
				}
			}
			if len(stdout) == 0 {
				if len(got) > 0 {
					t.Errorf("%s %q: %d packets chosen, tcpdump refuses: %s", name, expr, len(got), complaint)
				}
				continue
			}
			want, err := readPcap(stdout)
			if err != nil {
				t.Errorf("%s %q: tcpdump's file: %v", name, expr, err)
				continue
			}
			if strings.Contains(complaint, "different from") {
				// tcpdump stops where another interface begins.
				got = got[:min(len(got), len(want))]
			}
			if !slices.EqualFunc(got, want, func(a, b stored) bool {
				return a.wireLen == b.wireLen && bytes.Equal(a.data, b.data)
			}) {
				t.Errorf("%s %q: %d packets chosen, tcpdump chooses %d", name, expr, len(got), len(want))
			}
		}
	})
}
