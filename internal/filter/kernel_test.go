package filter

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// stripVLAN does what the kernel does to a packet with a VLAN tag before it
// filters: it takes the tag out and keeps it beside the packet.
func stripVLAN(p stored) (data []byte, beside map[uint32]uint32) {
	if len(p.data) < 18 {
		return p.data, map[uint32]uint32{skfVLANTagPresent: 0, skfVLANTag: 0}
	}
	switch binary.BigEndian.Uint16(p.data[12:]) {
	case etherVLAN, etherQinQ:
	default:
		return p.data, map[uint32]uint32{skfVLANTagPresent: 0, skfVLANTag: 0}
	}
	data = append(append([]byte(nil), p.data[:12]...), p.data[16:]...)
	tag := uint32(binary.BigEndian.Uint16(p.data[14:]))
	return data, map[uint32]uint32{skfVLANTagPresent: 1, skfVLANTag: tag}
}

// TestKernelVLAN checks that programs for the kernel choose the same packets,
// whether the kernel takes the tag out or not, as programs for stored packets.
func TestKernelVLAN(t *testing.T) {
	exprs := []string{
		"vlan", "vlan 100", "vlan 1", "vlan 0", "not vlan", "vlan and ip", "vlan and ip6", "vlan and arp",
		"vlan and vlan", "vlan and vlan 100", "vlan 200 and vlan 100", "vlan and tcp port 80",
		"vlan and port 53", "vlan and host 10.0.0.1", "vlan 100 and not ip", "vlan and vlan and udp",
		"vlan and icmp[0] = 8", "vlan and ip[9] = 6", "vlan and mpls", "vlan and pppoes and ip",
		"not vlan and vlan 5", "vlan and ether src 0:0:0:0:0:1", "vlan and stp", "vlan and ip proto 17",
	}
	var packets []stored
	tagged := 0
	for _, file := range readCorpus(t) {
		for i, p := range file {
			if p.lt == packet.LinkTypeEthernet && i < 200 {
				packets = append(packets, p)
				if _, beside := stripVLAN(p); beside[skfVLANTagPresent] == 1 {
					tagged++
				}
			}
		}
	}
	if tagged < 20 {
		t.Errorf("only %d packets in the corpus have a VLAN tag", tagged)
	}
	for _, expr := range exprs {
		e := mustParse(t, expr)
		p, err := e.Compile(packet.LinkTypeEthernet)
		if err != nil {
			t.Fatal(err)
		}
		kernel, err := e.CompileKernel(packet.LinkTypeEthernet)
		if err != nil {
			t.Fatal(err)
		}
		none := map[uint32]uint32{skfVLANTagPresent: 0, skfVLANTag: 0}
		for _, pkt := range packets {
			want := p.Match(pkt.data, pkt.wireLen)
			data, beside := stripVLAN(pkt)
			if got := referenceBeside(kernel, data, pkt.wireLen, beside) != 0; got != want {
				t.Fatalf("%q: with the tag beside match is %v, want %v: %x", expr, got, want, pkt.data)
			}
			if got := referenceBeside(kernel, pkt.data, pkt.wireLen, none) != 0; got != want {
				t.Fatalf("%q: with the tag inside match is %v, want %v: %x", expr, got, want, pkt.data)
			}
		}
	}
}

// TestKernelEqualsTcpdump compares with the programs that tcpdump makes for an
// interface, by what they choose.
func TestKernelEqualsTcpdump(t *testing.T) {
	o := newOracle(t)
	if _, refusal, err := o.compileLive("tcp"); err != nil || refusal != "" {
		t.Skipf("tcpdump cannot open the loopback interface: %s %v", refusal, err)
	}
	var packets []stored
	for _, file := range readCorpus(t) {
		for i, p := range file {
			if p.lt == packet.LinkTypeEthernet && i < 30 {
				packets = append(packets, p)
			}
		}
	}
	exprs := expressions(t)
	parallel(len(exprs)/3, func(i int) {
		expr := exprs[3*i]
		want, refusal, err := o.compileLive(expr)
		if err != nil {
			t.Error(err)
			return
		}
		var kernel []bpf.RawInstruction
		e, err := Parse(expr)
		if err == nil {
			kernel, err = e.CompileKernel(packet.LinkTypeEthernet)
		}
		if strings.Contains(expr, "protochain") {
			return // tcpdump runs these outside the kernel
		}
		if (err != nil) != (refusal != "") {
			t.Errorf("%q: error is %v, tcpdump's %q", expr, err, refusal)
			return
		}
		for j, pkt := range packets {
			data, beside := stripVLAN(pkt)
			beside[skfPacketType] = uint32(j % 5)
			beside[skfInterface] = uint32(j % 3)
			a := referenceBeside(kernel, data, pkt.wireLen, beside) != 0
			b := referenceBeside(want, data, pkt.wireLen, beside) != 0
			if a != b {
				t.Errorf("%q: match is %v, tcpdump's %v: %x, beside it %v\n%v\n%v", expr, a, b, data, beside, kernel, want)
				return
			}
		}
	})
}

func TestKernelRefusals(t *testing.T) {
	for expr, lt := range map[string]packet.LinkType{
		"ip protochain 6":                       packet.LinkTypeEthernet,
		"tcp":                                   packet.LinkTypeLinuxSLL,
		"udp":                                   packet.LinkTypeLinuxSLL2,
		"vlan":                                  packet.LinkTypeRaw,
		"port 1" + strings.Repeat(" or 2", 500): packet.LinkTypeEthernet,
	} {
		_, err := mustParse(t, expr).CompileKernel(lt)
		var le *LinkTypeError
		if !errors.As(err, &le) {
			t.Errorf("%.20q on %s: error is %v", expr, lt, err)
		}
	}
	raw, err := mustParse(t, " ").CompileKernel(packet.LinkTypeEthernet)
	if err != nil || len(raw) != 1 {
		t.Errorf("empty expression: %v, %v", raw, err)
	}
}
