package adapters

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/packetcache/packetcache/internal/packet"
)

// Numbers of the IANAifType registry, as Windows uses them.
const (
	ifTypeEthernet = 6
	ifTypeLoopback = 24
	ifTypeWireless = 71
)

// An adapter is what Windows says of one network interface.
type adapter struct {
	index       int
	guid        string // "{...}", in capitals
	name        string // the friendly one: "Ethernet 2"
	description string
	ifType      uint16
	mac         []byte
	up          bool
	addrs       []netip.Prefix
	// bound is whether the machine itself uses the adapter, with TCP/IP. The
	// members of virtual switches, bridges and teams are not bound.
	bound bool
}

// ipv4 are the addresses that a raw socket can be bound to, in order.
func (a *adapter) ipv4() (list []netip.Addr) {
	for _, p := range a.addrs {
		if p.Addr().Is4() {
			list = append(list, p.Addr())
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// linkType is the link type to expect when Npcap captures from the adapter.
func (a *adapter) linkType() packet.LinkType {
	switch a.ifType {
	case ifTypeEthernet, ifTypeWireless: // Wi-Fi comes with Ethernet headers
		return packet.LinkTypeEthernet
	case ifTypeLoopback:
		return packet.LinkTypeNull
	}
	return packet.LinkTypeRaw
}

// distinct gives adapters that have the name of one before them a name of
// their own. Windows keeps the names apart of those that it shows, and not all
// are shown.
func distinct(list []adapter) {
	seen := make(map[string]bool, len(list))
	for i := range list {
		if a := &list[i]; a.name == "" || seen[a.name] {
			a.name += "#" + strconv.Itoa(a.index)
		}
		seen[list[i].name] = true
	}
}

// showsLoopback reports whether an adapter shows what the loopback interface
// does: that of Windows, and the one that older versions of Npcap add.
func (a *adapter) showsLoopback() bool {
	return a.ifType == ifTypeLoopback || strings.HasPrefix(a.description, "Npcap Loopback Adapter")
}
