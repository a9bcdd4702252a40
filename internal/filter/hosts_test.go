package filter

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

func TestHosts(t *testing.T) {
	many := make([]string, maxHosts+1)
	for i := range many {
		many[i] = fmt.Sprintf("host 10.0.%d.%d", i/256, i%256)
	}
	tests := []struct{ expr, want string }{
		{"", ""},
		{"host 10.0.0.1", "10.0.0.1"},
		{"10.0.0.1 or 10.0.0.2", ""}, // refused
		{"host 10.0.0.1 or 10.0.0.2", "10.0.0.1 10.0.0.2"},
		{"host 10.0.0.2 or 10.0.0.1 or 10.0.0.2", "10.0.0.1 10.0.0.2"},
		{"host 10.0.0.1 and 10.0.0.2", "10.0.0.1, 10.0.0.2"},
		{"src host 10.0.0.1 and tcp dst port 80", "10.0.0.1"},
		{"src 10.0.0.1 and dst 10.0.0.2", "10.0.0.1, 10.0.0.2"},
		{"src or dst host 10.0.0.1", "10.0.0.1"},
		{"src and dst host 10.0.0.1", "10.0.0.1, 10.0.0.1"},
		{"ip host 10.0.0.1", "10.0.0.1"},
		{"arp host 10.0.0.1", "10.0.0.1"},
		{"rarp dst host 10.0.0.1", "10.0.0.1"},
		{"host 0x0a000001", "10.0.0.1"},
		{"host 2001:db8::1", "2001:db8::1"},
		{"ip6 src host 2001:db8::1", "2001:db8::1"},
		{"host ::ffff:10.0.0.1", "::ffff:10.0.0.1"},
		{"net 10.0.0.1/32", "10.0.0.1"},
		{"net 10.0.0.1 mask 255.255.255.255", "10.0.0.1"},
		{"net 2001:db8::1/128", "2001:db8::1"},
		{"net 10.0.0.0/31", ""},
		{"net 10", ""},
		{"host 10.1", ""}, // a network
		{"net 2001:db8::/64", ""},
		{"tcp", ""},
		{"port 80", ""},
		{"host 10.0.0.1 or port 80", ""},
		{"host 10.0.0.1 or net 10.2.0.0/16", ""},
		{"host 10.0.0.1 and (port 80 or port 443)", "10.0.0.1"},
		{"(port 80 or port 443) and host 10.0.0.1", "10.0.0.1"},
		{"not host 10.0.0.1", ""},
		{"not not host 10.0.0.1", ""},
		{"host 10.0.0.1 and not host 10.0.0.2", "10.0.0.1"},
		{"not (host 10.0.0.1 or tcp)", ""},
		{"ether host 00:11:22:33:44:55", ""},
		{"ether host 00:11:22:33:44:55 and host 10.0.0.1", "10.0.0.1"},
		{"decnet host 10.1", ""},
		{"ip[12:4] = 0x0a000001", ""},
		{"ip broadcast", ""},
		{"inbound and host 10.0.0.1", "10.0.0.1"},
		{"host 10.0.0.1 and 10.0.0.2 or (host 10.0.0.1 and 10.0.0.3)", "10.0.0.1, 10.0.0.2 10.0.0.3"},
		{"host 10.0.0.1 and 10.0.0.2 or host 10.0.0.3", "10.0.0.1 10.0.0.3, 10.0.0.2 10.0.0.3"},

		// Behind a tag, if there must be one.
		{"vlan and host 10.0.0.1", "10.0.0.1"},
		{"vlan 7 and vlan 8 and host 10.0.0.1", "10.0.0.1"},
		{"vlan and (host 10.0.0.1 or 10.0.0.2)", "10.0.0.1 10.0.0.2"},
		{"host 10.0.0.1 or (vlan and host 10.0.0.1)", "10.0.0.1"},
		{"host 10.0.0.1 or (vlan and tcp)", ""},
		{"vlan or host 10.0.0.1", ""},
		{"(vlan or tcp) and host 10.0.0.1", ""},
		{"not vlan and host 10.0.0.1", ""},
		{"(vlan and tcp or vlan and udp) and host 10.0.0.1", ""},
		{"host 10.0.0.1 and vlan", "10.0.0.1"},
		{"(vlan and tcp or host 10.0.0.1) and host 10.0.0.2", ""},
		// Behind other headers nobody looks.
		{"mpls and host 10.0.0.1", ""},
		{"pppoes and host 10.0.0.1", ""},
		{"geneve and host 10.0.0.1", ""},
		{"geneve and vlan and host 10.0.0.1", ""},
		{"host 10.0.0.1 and mpls", "10.0.0.1"},
		{"host 10.0.0.1 and geneve and host 10.0.0.2", "10.0.0.1"},

		{strings.Join(many, " or "), ""},
		{strings.Join(many, " and "), "10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7"},
		{strings.Repeat("vlan and ", maxTags) + "host 10.0.0.1", ""},
	}
	for _, tt := range tests {
		e, err := Parse(tt.expr)
		if err != nil {
			if tt.want != "" {
				t.Errorf("%q: %v", tt.expr, err)
			}
			continue
		}
		if got := sets(e); got != tt.want {
			t.Errorf("%.60q has hosts %q, want %q", tt.expr, got, tt.want)
		}
	}
}

func sets(e *Expr) string {
	var all []string
	for _, set := range e.Hosts() {
		all = append(all, strings.Trim(fmt.Sprint(set), "[]"))
	}
	return strings.Join(all, ", ")
}

// checkHosts: a packet that an expression matches has the addresses that Hosts
// says, where session.Addresses finds them.
func checkHosts(t *testing.T, e *Expr, lt packet.LinkType, data []byte) {
	t.Helper()
	src, dst, sure := session.Addresses(lt, data)
	for _, set := range e.Hosts() {
		if sure && !slices.Contains(set, src) && !slices.Contains(set, dst) {
			t.Errorf("%q matches on %s, though it needs one of %v and only %v and %v are found, in %x", e, lt, set, src, dst, data)
		}
	}
}

// TestHostsLoseNothing makes up expressions of what stands in packets of the
// corpus, at the place of addresses and elsewhere, and changes the packets.
func TestHostsLoseNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	corpus := readCorpus(t)
	checked, chosen := 0, 0
	for _, name := range slices.Sorted(maps.Keys(corpus)) {
		for range 100 {
			p := corpus[name][r.IntN(len(corpus[name]))]
			w := writer{r, places(p, r)}
			e, err := Parse(w.pick("", "vlan and ", "vlan or ", "vlan and tcp or ", "mpls and ", "pppoes and ", "not ") +
				w.pick("", "src ", "dst ") + "host " + w.addr() + w.pick(" and ", " or ", " or not ") + w.expr(r.IntN(2)))
			if err != nil || len(e.Hosts()) == 0 {
				continue
			}
			for _, lt := range []packet.LinkType{p.lt, packet.LinkTypeEthernet, packet.LinkTypeRaw, packet.LinkTypeIPv4, packet.LinkTypeIPv6,
				packet.LinkTypeNull, packet.LinkTypeLoop, packet.LinkTypeLinuxSLL, packet.LinkTypeLinuxSLL2} {
				program, err := e.Compile(lt)
				if err != nil {
					continue
				}
				for n := range 8 {
					data := p.data
					if n > 0 {
						data = changed(p.data, r)
					}
					checked++
					if program.Match(data, p.wireLen) {
						chosen++
						checkHosts(t, e, lt, data)
					}
				}
			}
		}
	}
	t.Logf("%d packets of %d matched", chosen, checked)
	if chosen < 200 {
		t.Errorf("only %d of %d packets matched: that shows little", chosen, checked)
	}
}

// places are the addresses of a packet, and what would be some elsewhere.
func places(p stored, r *rand.Rand) (addrs []string) {
	src, dst, _ := session.Addresses(p.lt, p.data)
	for _, a := range []netip.Addr{src, dst} {
		if a.IsValid() {
			addrs = append(addrs, a.String(), a.String(), a.String())
		}
	}
	for _, size := range []int{4, 4, 4, 16} {
		if at := 2 * r.IntN(32); at+size <= len(p.data) {
			a, _ := netip.AddrFromSlice(p.data[at : at+size])
			addrs = append(addrs, a.String())
		}
	}
	return addrs
}

// changed is a packet that has been cut, put behind a header, or given another
// type somewhere.
func changed(data []byte, r *rand.Rand) []byte {
	types := []uint16{etherIP, etherIP, etherIPv6, etherARP, etherVLAN, etherQinQ, etherMPLS, etherPPPoES, pppIP, genevePort}
	heads := []string{"\x81\x00\x00\x07\x08\x00", "\x88\xa8\x00\x07\x86\xdd", "\x88\x47\x00\x00\x11\x40",
		"\x88\x64\x11\x00\x00\x01\x00\x20\x00\x21", "\x08\x00"}
	data = slices.Clone(data)
	for range 1 + r.IntN(2) {
		switch r.IntN(4) {
		case 0:
			data = data[:r.IntN(len(data)+1)]
		case 1:
			if at := 2 * r.IntN(16); at+2 <= len(data) {
				binary.BigEndian.PutUint16(data[at:], types[r.IntN(len(types))])
			}
		default:
			if len(data) >= 14 {
				data = slices.Replace(data, 12, 14, []byte(heads[r.IntN(len(heads))])...)
			}
		}
	}
	return data
}
