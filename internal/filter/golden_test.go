package filter

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// Packets to match, in hexadecimal with the parts apart.
var (
	ether = "000000000002 000000000001 "
	ipTo2 = " 4500 0028 0001 0000 40 06 0000 0a000001 0a000002 "
	syn80 = "04d2 0050 00000001 00000000 5002 0000 0000 0000"

	ip6To2 = " 6000 0000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002 "

	goldenPackets = map[string]struct {
		lt  packet.LinkType
		hex string
	}{
		"syn":       {1, ether + "0800" + ipTo2 + syn80},
		"ip6 syn":   {1, ether + "86dd" + ip6To2 + syn80},
		"dns":       {1, ether + "0800 4500 0024 0001 0000 40 11 0000 0a000001 08080808 d431 0035 0010 0000 1234 0100 0001 0000"},
		"fragment":  {1, ether + "0800 4500 0028 0001 0064 40 06 0000 0a000001 0a000002" + syn80},
		"cut":       {1, ether + "0800" + ipTo2},
		"echo":      {1, ether + "0800 4500 001c 0001 0000 40 01 0000 0a000001 0a000002 0800 0000 0000 0000"},
		"options":   {1, ether + "0800 4600 002c 0001 0000 40 06 0000 0a000001 0a000002 01010101" + syn80},
		"ip6 echo":  {1, "333300000001 000000000001 86dd 6000 0000 0008 3a 40 20010db8000000000000000000000001 ff020000000000000000000000000001 8000 0000 0000 0000"},
		"ip6 frag":  {1, ether + "86dd 6000 0000 001c 2c 40 20010db8000000000000000000000001 20010db8000000000000000000000002 0600 0000 00000001" + syn80},
		"ip6 hop":   {1, ether + "86dd 6000 0000 001c 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002 0600 0104 00000000" + syn80},
		"ah ah tcp": {1, ether + "0800 4500 0040 0001 0000 40 33 0000 0a000001 0a000002 3301 0000 00000000 00000000 0601 0000 00000000 00000000" + syn80},
		"arp":       {1, "ffffffffffff 000000000001 0806 0001 0800 06 04 0001 000000000001 0a000001 000000000000 0a000002"},
		"vlan":      {1, ether + "8100 0064 0800" + ipTo2 + syn80},
		"qinq":      {1, ether + "88a8 00c8 8100 0064 0800" + ipTo2 + syn80},
		"mpls":      {1, ether + "8847 00010 040 00011 140" + ipTo2 + syn80},
		"pppoe":     {1, ether + "8864 11 00 0007 002a 0021" + ipTo2 + syn80},
		"stp":       {1, "0180c2000000 000000000001 0026 42 42 03 0000 00 00"},
		"geneve": {1, ether + "0800 4500 0062 0001 0000 40 11 0000 0a000001 0a000002 1000 17c1 004e 0000 0000 6558 00000a 00" +
			"000000000004 000000000003 0800 4500 0028 0001 0000 40 06 0000 0a000003 0a000004" + syn80},
		"multicast": {1, "01005e000001 000000000001 0800 4600 0020 0000 0000 01 02 0000 0a000001 e0000001 94040000 1100 0000 00000000"},
		"raw":       {101, ipTo2 + syn80},
		"null le":   {0, "02000000" + ipTo2 + syn80},
		"null be":   {0, "00000002" + ipTo2 + syn80},
		"null ip6":  {0, "1e000000" + ip6To2 + syn80},
		"loop":      {108, "00000002" + ipTo2 + syn80},
		"sll out":   {113, "0004 0001 0006 000000000001 0000 0800" + ipTo2 + syn80},
		"sll2 in":   {276, "0800 0000 00000003 0001 00 06 0000000000010000" + ipTo2 + syn80},
		"ppp":       {9, "ff03 0021" + ipTo2 + syn80},
		"chdlc":     {104, "0f00 0800" + ipTo2 + syn80},
		"beacon":    {127, "0000 0800 00000000 8000 0000 ffffffffffff 000000000001 000000000001 0000"},
		"wlan data": {105, "0801 0000 000000000003 000000000001 000000000002 0000 aaaa03 000000 0800" + ipTo2 + syn80},
		"wlan qos":  {127, "0000 0c00 02000000 20 000000 8802 0000 000000000002 000000000003 000000000001 0000 0000 0000 aaaa03 000000 0800" + ipTo2 + syn80},
		"arcnet":    {129, "1234 0000 d4 00 0000" + ipTo2 + syn80},
		"ss7":       {140, "00 00 3f 85 02 00 81 20 00"},
	}
)

// TestGolden says by hand which of the packets above match.
func TestGolden(t *testing.T) {
	all := "ah ah tcp,arcnet,arp,beacon,chdlc,cut,dns,echo,fragment,geneve,ip6 echo,ip6 frag,ip6 hop,ip6 syn," +
		"loop,mpls,multicast,null be,null ip6,null le,options,ppp,pppoe,qinq,raw,sll out,sll2 in,ss7,stp,syn,vlan,wlan data,wlan qos"
	wired := "arcnet,chdlc,loop,null be,null le,options,ppp,raw,sll out,sll2 in,syn"
	syn4 := wired + ",wlan data,wlan qos"
	tests := map[string]string{
		"":                                   all,
		" \n\t":                              all,
		"ip6":                                "ip6 echo,ip6 frag,ip6 hop,ip6 syn,null ip6",
		"arp":                                "arp",
		"icmp or icmp6":                      "echo,ip6 echo",
		"tcp port 80":                        syn4 + ",ip6 syn,null ip6",
		"port 80 or 53":                      syn4 + ",ip6 syn,null ip6,dns",
		"tcp and not port 80":                "fragment,ip6 frag",
		"port domain":                        "dns",
		"src port 1234":                      syn4 + ",ip6 syn,null ip6",
		"dst port 1234":                      "",
		"portrange 50-60":                    "dns",
		"host 10.0.0.2":                      syn4 + ",ah ah tcp,cut,echo,fragment,arp,geneve",
		"dst host 10.0.0.1":                  "",
		"net 8.0.0.0/5":                      syn4 + ",ah ah tcp,cut,echo,fragment,arp,geneve,dns,multicast",
		"dst net 8.8":                        "dns",
		"host 2001:db8::2":                   "ip6 frag,ip6 hop,ip6 syn,null ip6",
		"src and dst net 2001:db8::/32":      "ip6 frag,ip6 hop,ip6 syn,null ip6",
		"not host 10.0.0.2 and ip":           "dns,multicast",
		"ip6 protochain 6":                   "ip6 frag,ip6 hop,ip6 syn,null ip6",
		"ip protochain 6":                    wired + ",ah ah tcp,cut,fragment",
		"ip6 proto 6":                        "ip6 frag,ip6 syn,null ip6",
		"tcp[tcpflags] & tcp-syn != 0":       syn4,
		"tcp[13] = 2":                        syn4,
		"tcp[13] != 2":                       "",
		"icmp[icmptype] = icmp-echo":         "echo",
		"icmp6[icmp6type] = icmp6-echo":      "ip6 echo",
		"ip[6:2] & 0x1fff != 0":              "fragment",
		"ether proto 0x0800 and ip[9] = 17":  "dns,geneve",
		"len = 34":                           "cut",
		"less 33":                            "stp,ss7,beacon",
		"vlan":                               "vlan,qinq",
		"vlan 100":                           "vlan",
		"vlan and vlan 100":                  "qinq",
		"vlan and tcp port 80":               "vlan",
		"vlan and vlan and tcp port 80":      "qinq",
		"mpls 16":                            "mpls",
		"mpls and mpls 17 and host 10.0.0.1": "mpls",
		"pppoes 7 and tcp port 80":           "pppoe",
		"pppoes 8":                           "",
		"geneve 10":                          "geneve",
		"geneve and host 10.0.0.4":           "geneve",
		"geneve and ether src 0:0:0:0:0:3 and port 80": "geneve",
		"stp":                                "stp",
		"broadcast":                          "arp,beacon",
		"multicast":                          "arp,beacon,stp,multicast,ip6 echo",
		"ip multicast":                       "multicast",
		"ip6 multicast":                      "ip6 echo",
		"type mgt subtype beacon":            "beacon",
		"type data":                          "wlan data,wlan qos",
		"dir fromds":                         "wlan qos",
		"type data and wlan src 0:0:0:0:0:1": "wlan data,wlan qos",
		"wlan addr3 0:0:0:0:0:2":             "wlan data",
		"radio[0] = 0":                       "beacon,wlan qos",
		"inbound":                            "sll2 in",
		"outbound":                           "sll out",
		"ifindex 3":                          "sll2 in",
		"link host $12":                      "arcnet",
		"link src $12":                       "arcnet",
		"msu":                                "ss7",
		"opc 1":                              "",
	}
	for expr, want := range tests {
		e, err := Parse(expr)
		if err != nil {
			t.Error(err)
			continue
		}
		s, err := NewSet(e)
		if err != nil {
			t.Error(err)
			continue
		}
		wanted := map[string]bool{}
		for name := range strings.SplitSeq(want, ",") {
			wanted[name] = true
		}
		for name, p := range goldenPackets {
			data, err := hex.DecodeString(strings.ReplaceAll(p.hex, " ", ""))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := s.Match(p.lt, data, uint32(len(data))); got != wanted[name] {
				t.Errorf("%q on packet %q: match is %v", expr, name, got)
			}
		}
	}
}
