package adapters

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/npcap"
	"github.com/packetcache/packetcache/internal/packet"
)

// A plan is how an adapter is to be captured from: with Npcap if device is not
// empty, otherwise with a raw socket at each of the addresses.
type plan struct {
	device  string
	addrs   []netip.Addr
	noNpcap error // why Npcap does not serve it
}

// served puts a plan into the words of capture.Link.
func (p *plan) served() string {
	if p.device != "" {
		return capture.BackendNpcap
	}
	var b strings.Builder
	b.WriteString(capture.BackendRawsock)
	for _, a := range p.addrs {
		b.WriteString(" " + a.String())
	}
	return b.String()
}

// A view is all that is known of the adapters at one moment.
type view struct {
	adapters []adapter
	// below lists, by index, what an adapter stands on.
	below map[int][]int
	// devices are Npcap's, as of npcap.Devices; noNpcap is why there are none.
	devices map[string]string
	noNpcap error
	os      string
}

// plan decides how to capture from an adapter.
func (v *view) plan(a *adapter) plan {
	key := a.guid
	if a.ifType == ifTypeLoopback {
		key = npcap.Loopback
	}
	if device := v.devices[key]; device != "" {
		return plan{device: device}
	}
	p := plan{addrs: a.ipv4(), noNpcap: v.noNpcap}
	if p.noNpcap == nil {
		p.noNpcap = errUnknown
	}
	return p
}

// errUnknown is why an adapter is not served by an Npcap that works.
var errUnknown = errors.New("does not know this interface")

// note says what will not be seen.
func (p *plan) note() string {
	if p.device != "" {
		return ""
	}
	return fmt.Sprintf("IPv4 only: no IPv6, no ARP, no link headers; inbound as far as the firewall lets through; losses not counted (raw sockets, since Npcap: %v)", p.noNpcap)
}

// aside says why an adapter is left out unless it is asked for by its name.
func (a *adapter) aside(p *plan) string {
	switch {
	case a.showsLoopback():
		return "loopback"
	case p.device == "" && len(p.addrs) == 0:
		return fmt.Sprintf("it has no IPv4 address, which raw sockets need (Npcap: %v)", p.noNpcap)
	case !a.bound:
		return "this machine has no addresses there; a virtual switch, bridge or team of it may be recorded instead"
	}
	return ""
}

// links describes the adapters for the capture loop, with a plan for each.
func (v *view) links() ([]capture.Link, map[int]plan) {
	distinct(v.adapters)
	links := make([]capture.Link, 0, len(v.adapters))
	plans := make(map[int]plan, len(v.adapters))
	for i := range v.adapters {
		a := &v.adapters[i]
		p := v.plan(a)
		l := capture.Link{
			Interface: packet.Interface{
				Name: a.name, Description: a.description, Index: a.index,
				LinkType: packet.LinkTypeRaw, MAC: a.mac, Addrs: a.addrs, OS: v.os,
			},
			Up:       a.up,
			Hardware: a.ifType,
			Served:   p.served(),
			Lower:    v.below[a.index],
			Aside:    a.aside(&p),
		}
		if p.device != "" {
			l.LinkType = a.linkType()
		}
		links = append(links, l)
		plans[a.index] = p
	}
	return links, plans
}

// ipv4 are all IPv4 addresses of the machine.
func (v *view) ipv4() (list []netip.Addr) {
	for i := range v.adapters {
		list = append(list, v.adapters[i].ipv4()...)
	}
	return list
}
