package filter

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// A writer makes up expressions. Most of them are well formed.
type writer struct {
	r *rand.Rand
	// addrs are used most of the time, if there are any.
	addrs []string
}

func (w writer) pick(s ...string) string { return s[w.r.IntN(len(s))] }

func (w writer) number() string {
	return w.pick("0", "1", "2", "6", "14", "17", "47", "80", "100", "0x0800", "0x86dd", "1500", "65535", "070",
		"4294967295", strconv.Itoa(w.r.IntN(300)))
}

func (w writer) addr() string {
	if len(w.addrs) > 0 && w.r.IntN(8) > 0 {
		return w.pick(w.addrs...)
	}
	return w.pick("10.0.0.1", "192.168.1.2", "127.0.0.1", "10.1", "1.2.3", "::1", "fe80::1", "2001:db8::2", "80", "10")
}

func (w writer) value(typ string) string {
	switch typ {
	case "net ":
		return w.pick("10.0.0.0/8", "192.168.0.0/16", "10", "10.1", "0.0.0.0/0", "fe80::/10", "10.0.0.0 mask 255.0.0.0", w.addr())
	case "port ":
		return w.pick("80", "53", "http", "domain", "ssh", "443", "0x50", "syslog")
	case "portrange ":
		return w.pick("1-100", "80-443", "http-https", "100-1", "80", "0-65535")
	case "proto ", "protochain ":
		return w.pick("6", "17", "1", `\tcp`, `\udp`, "gre", "58", `\ip`, "0x0806", `\isis`, `\stp`)
	}
	return w.addr()
}

func (w writer) values(typ string, depth int) string {
	switch w.r.IntN(8) {
	case 0:
		return "not " + w.value(typ)
	case 1:
		return "(" + w.value(typ) + w.pick(" or ", " and ") + w.value(typ) + ")"
	case 2:
		return w.value(typ) + w.pick(" or ", " and ", " and not ") + w.value(typ)
	}
	return w.value(typ)
}

func (w writer) arith(depth int) string {
	if depth <= 0 {
		return w.pick(w.number(), w.number(), "len", "ip[0]", "tcp[13]", "ether[12:2]", "ip6[6]", "udp[4:2]", "icmp[0]", "link[14]")
	}
	switch w.r.IntN(8) {
	case 0, 1, 2:
		return w.arith(depth-1) + w.pick(" + ", " - ", " * ", " / ", " % ", " & ", " | ", " ^ ", " << ", " >> ") + w.arith(depth-1)
	case 3:
		return "(" + w.arith(depth-1) + ")"
	case 4:
		return "-" + w.arith(depth-1)
	case 5:
		return w.pick("ip", "tcp", "udp", "ether", "ip6", "arp", "icmp6", "radio", "sctp") + "[" + w.arith(depth-1) + w.pick("", ":2", ":4", ":1") + "]"
	}
	return w.arith(0)
}

func (w writer) term(depth int) string {
	switch w.r.IntN(14) {
	case 0, 1:
		typ := w.pick("host ", "net ", "port ", "portrange ", "")
		proto := w.pick("", "", "", "ip ", "ip6 ", "tcp ", "udp ", "arp ", "ether ", "sctp ")
		return proto + w.pick("src ", "dst ", "src or dst ", "src and dst ") + typ + w.values(typ, depth)
	case 2, 3, 4:
		typ := w.pick("host ", "net ", "port ", "portrange ")
		return w.pick("", "", "ip ", "tcp ", "udp ", "arp ") + typ + w.values(typ, depth)
	case 5:
		typ := w.pick("proto ", "proto ", "protochain ")
		return w.pick("ip ", "ip6 ", "ether ", "", "iso ") + typ + w.value(typ)
	case 6, 7:
		return w.pick("ip", "ip6", "tcp", "udp", "arp", "icmp", "icmp6", "sctp", "stp", "iso", "ipx", "igmp", "ah", "llc", "pim", "atalk", "isis", "l1", "netbeui")
	case 8:
		return w.pick("ether ", "ip ", "ip6 ", "") + w.pick("broadcast", "multicast")
	case 9:
		return w.pick("less ", "greater ") + w.number()
	case 10:
		return w.pick("vlan", "vlan 100", "mpls", "mpls 5", "pppoes", "pppoed", "pppoes 1", "geneve", "geneve 7")
	case 11:
		return "ether " + w.pick("host ", "src ", "dst ", "src and dst ") + w.pick("00:11:22:33:44:55", "ff:ff:ff:ff:ff:ff")
	case 12:
		return w.pick("type mgt", "type data subtype qos-data", "dir tods", "subtype beacon", "inbound", "outbound")
	}
	return w.arith(depth) + w.pick(" = ", " != ", " > ", " >= ", " < ", " <= ") + w.arith(depth)
}

func (w writer) expr(depth int) string {
	n := 1 + w.r.IntN(3)
	parts := make([]string, 0, 2*n)
	for i := range n {
		if i > 0 {
			parts = append(parts, w.pick("and", "or", "and", "or", "&&", "||"))
		}
		var s string
		if depth > 0 && w.r.IntN(3) == 0 {
			s = "(" + w.expr(depth-1) + ")"
		} else {
			s = w.term(min(depth, 2))
		}
		if w.r.IntN(5) == 0 {
			s = w.pick("not ", "! ", "not not ") + s
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

// TestRandomExpressions compares the code for made-up expressions with
// tcpdump's, instruction by instruction. FILTER_RANDOM=SEED,NUMBER makes others
// and more of them.
func TestRandomExpressions(t *testing.T) {
	o := newOracle(t)
	n := 400
	seed := uint64(1)
	if s := os.Getenv("FILTER_RANDOM"); s != "" {
		if _, err := fmt.Sscanf(s, "%d,%d", &seed, &n); err != nil {
			t.Fatalf("FILTER_RANDOM=%s: %v", s, err)
		}
	}
	w := writer{r: rand.New(rand.NewPCG(seed, 2))}
	links := []packet.LinkType{1, 1, 1, 1, 101, 113, 276, 105, 127, 9, 104, 107, 192, 119, 10, 6, 228, 229, 129, 51, 8, 108, 122}
	type job struct {
		lt   packet.LinkType
		expr string
	}
	jobs := make([]job, n)
	for i := range jobs {
		jobs[i] = job{links[w.r.IntN(len(links))], w.expr(2)}
	}
	parallel(n, func(i int) {
		lt, expr := jobs[i].lt, jobs[i].expr
		want, refusal, err := o.compile(lt, binary.LittleEndian, expr)
		if err != nil {
			t.Error(err)
			return
		}
		var got []bpf.RawInstruction
		e, err := Parse(expr)
		if err == nil {
			var p *Program
			if p, err = e.Compile(lt); err == nil {
				got = p.Raw()
			}
		}
		if strings.HasSuffix(refusal, " by zero") || strings.HasPrefix(refusal, "shift by more") {
			return // tcpdump takes the 0 in "len / ip[0]" for the divisor
		}
		if (err != nil) != (refusal != "") {
			t.Errorf("%s: %s\n\terror is %v, tcpdump's is %q", lt, expr, err, refusal)
			return
		}
		if err == nil && !slices.Equal(got, want) && !differentCode(lt, expr) {
			t.Errorf("%s: %s\n\tcode is not tcpdump's:\n\t%v\n\t%v", lt, expr, got, want)
		}
	})
}
