package adapters

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/npcap"
	"github.com/packetcache/packetcache/internal/packet"
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

// office is a machine with what such machines have.
func office() []adapter {
	return []adapter{
		{index: 1, name: "Loopback Pseudo-Interface 1", ifType: ifTypeLoopback, up: true, bound: true, addrs: prefixes("127.0.0.1/8", "::1/128")},
		{index: 4, guid: "{A}", name: "Ethernet", ifType: ifTypeEthernet, up: true, bound: true, addrs: prefixes("192.0.2.9/24", "fe80::1/64", "192.0.2.8/24")},
		{index: 5, guid: "{B}", name: "Wi-Fi", ifType: ifTypeWireless, bound: true},
		{index: 6, guid: "{C}", name: "VPN", ifType: 23, up: true, bound: true, addrs: prefixes("10.8.0.2/32")},
	}
}

func TestLinksWithNpcap(t *testing.T) {
	member := adapter{index: 7, guid: "{D}", name: "Ethernet", ifType: ifTypeEthernet, up: true}
	v := view{
		adapters: append(office(), member),
		devices:  map[string]string{"{A}": `\Device\NPF_{A}`, "{B}": `\Device\NPF_{B}`, "{D}": `\Device\NPF_{D}`, npcap.Loopback: `\Device\NPF_Loopback`},
		below:    map[int][]int{4: {7}},
		os:       "Windows 10.0.19045",
	}
	links, plans := v.links()
	for i, want := range []struct {
		name, served, aside string
		linkType            packet.LinkType
		note                string
	}{
		{"Loopback Pseudo-Interface 1", "npcap", "loopback", packet.LinkTypeNull, ""},
		{"Ethernet", "npcap", "", packet.LinkTypeEthernet, ""},
		{"Wi-Fi", "npcap", "", packet.LinkTypeEthernet, ""},
		{"VPN", "rawsock 10.8.0.2", "", packet.LinkTypeRaw, "Npcap: does not know this interface"},
		{"Ethernet#7", "npcap", "no addresses", packet.LinkTypeEthernet, ""},
	} {
		l := links[i]
		p := plans[l.Index]
		if l.Name != want.name || l.Served != want.served || l.LinkType != want.linkType || !contains(l.Aside, want.aside) || !contains(p.note(), want.note) {
			t.Errorf("link %d is %+v\nwith the note %q\nwant %+v", i, l, p.note(), want)
		}
		if l.OS != v.os || l.Up != v.adapters[i].up || l.Hardware != v.adapters[i].ifType {
			t.Errorf("link %d lacks what is known of it: %+v", i, l)
		}
	}
	if got := plans[5].device; got != `\Device\NPF_{B}` {
		t.Errorf("Wi-Fi is opened as %q", got)
	}
	if !slices.Equal(links[1].Lower, []int{7}) {
		t.Errorf("Ethernet stands on %v", links[1].Lower)
	}
}

// contains reports whether text has the part, or is empty as the part is.
func contains(text, part string) bool {
	return strings.Contains(text, part) && (part != "" || text == "")
}

func TestLinksWithoutNpcap(t *testing.T) {
	v := view{adapters: office(), noNpcap: errors.New("not installed")}
	links, plans := v.links()
	for i, want := range []struct{ served, aside string }{
		{"rawsock 127.0.0.1", "loopback"},
		{"rawsock 192.0.2.8 192.0.2.9", ""},
		{"rawsock", "no IPv4 address, which raw sockets need (Npcap: not installed)"},
		{"rawsock 10.8.0.2", ""},
	} {
		if l := links[i]; l.Served != want.served || l.LinkType != packet.LinkTypeRaw || !contains(l.Aside, want.aside) {
			t.Errorf("link %d is %+v, want %+v", i, l, want)
		}
	}
	p := plans[4]
	for _, part := range []string{"IPv4 only", "no IPv6", "no ARP", "firewall", "losses not counted", "Npcap: not installed"} {
		if !strings.Contains(p.note(), part) {
			t.Errorf("the note %q does not say %q", p.note(), part)
		}
	}
	if got, want := v.ipv4(), 4; len(got) != want {
		t.Errorf("own addresses %v, want %d", got, want)
	}
}

// An older Npcap has an adapter for the loopback interface.
func TestNpcapLoopbackAdapter(t *testing.T) {
	v := view{
		adapters: []adapter{{index: 9, guid: "{E}", name: "Npcap Loopback Adapter", description: "Npcap Loopback Adapter", ifType: ifTypeEthernet, bound: true}},
		devices:  map[string]string{"{E}": "x"},
	}
	if links, _ := v.links(); links[0].Aside != "loopback" {
		t.Errorf("it is left out for %q", links[0].Aside)
	}
}

func TestDistinct(t *testing.T) {
	list := []adapter{{index: 1, name: "Ethernet"}, {index: 2, name: "Ethernet"}, {index: 3}, {index: 4, name: "Wi-Fi"}}
	distinct(list)
	for i, want := range []string{"Ethernet", "Ethernet#2", "#3", "Wi-Fi"} {
		if list[i].name != want {
			t.Errorf("adapter %d is called %q, want %q", i, list[i].name, want)
		}
	}
}

// Filters and the like stand between the layers and are not listed.
func TestRelate(t *testing.T) {
	adapters := []adapter{
		{index: 10, name: "vEthernet (LAN)", bound: true},
		{index: 4, name: "Ethernet"}, // belongs to the switch
		{index: 11, name: "Team", bound: true}, {index: 5, name: "NIC 1"}, {index: 6, name: "NIC 2"},
		{index: 12, name: "Hotspot", bound: true}, {index: 7, name: "Wi-Fi", bound: true},
	}
	rows := []stackRow{
		{10, 100}, {100, 101}, {101, 4}, {102, 4}, // filters on both sides of the switch
		{11, 5}, {11, 110}, {110, 6}, {11, 6}, // by two ways
		{12, 120}, {120, 7}, // each has traffic of its own
		{120, 12}, {4, 4}, // never without end
		{200, 201},
	}
	got := relate(adapters, rows)
	want := map[int][]int{10: {4}, 11: {5, 6}}
	if len(got) != len(want) {
		t.Errorf("related %v, want %v", got, want)
	}
	for top, members := range want {
		if !slices.Equal(got[top], members) {
			t.Errorf("%d stands on %v, want %v", top, got[top], members)
		}
	}
	if got := relate(adapters, nil); len(got) != 0 {
		t.Errorf("without a table: %v", got)
	}
}

// The layer that the machine itself uses is recorded, and a member if it is
// asked for; then the switch is covered by it.
func TestLayers(t *testing.T) {
	v := view{
		adapters: []adapter{
			{index: 10, guid: "{S}", name: "vEthernet", ifType: ifTypeEthernet, up: true, bound: true},
			{index: 4, guid: "{M}", name: "Ethernet", ifType: ifTypeEthernet, up: true},
		},
		devices: map[string]string{"{S}": "s", "{M}": "m"},
		below:   map[int][]int{10: {4}},
	}
	links, plans := v.links()
	platform := &fixed{links: links, plans: plans}
	for _, test := range []struct {
		include []string
		want    map[string]capture.State
	}{
		{nil, map[string]capture.State{"vEthernet": capture.StateCapturing, "Ethernet": capture.StateExcluded}},
		{[]string{"vEthernet", "Ethernet"}, map[string]capture.State{"vEthernet": capture.StateCovered, "Ethernet": capture.StateCapturing}},
	} {
		got := platform.states(t, capture.Config{Include: test.include, RingBytes: 8 << 20})
		for name, want := range test.want {
			if got[name] != want {
				t.Errorf("with %q %s is %s, want %s", test.include, name, got[name], want)
			}
		}
	}
}
