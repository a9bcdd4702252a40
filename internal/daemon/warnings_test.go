package daemon

import (
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
)

// An interface whose backend does not see all is named, so that nobody takes
// its silence for the machine's.
func TestWarningOfBlindInterfaces(t *testing.T) {
	c, err := cache.New(cache.Options{Bytes: cache.MinBytes, Bias: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d := &Daemon{o: options(config.Defaults()), cache: c}
	d.inForce.Store(d.o.Loaded)
	link := func(name, backend string, state capture.State) capture.Status {
		return capture.Status{Interface: packet.Interface{Name: name}, Backend: backend, State: state}
	}
	warned := func(links ...capture.Status) (text string) {
		for _, w := range d.warnings(links, &control.Persistence{}) {
			if strings.Contains(w, "IPv4") {
				text += w
			}
		}
		return text
	}
	all := []capture.Status{
		link("Ethernet", capture.BackendNpcap, capture.StateCapturing),
		link("VPN", capture.BackendRawsock, capture.StateCapturing),
		link("USB", capture.BackendRawsock, capture.StateDown),
		link("old", capture.BackendRawsock, capture.StateGone),
	}
	const want = "Only IPv4 is recorded on VPN, USB: raw sockets see neither IPv6 nor ARP. Install Npcap to record all."
	if got := warned(all...); got != want {
		t.Errorf("warned %q, want %q", got, want)
	}
	if got := warned(slices.Delete(all, 1, 3)...); got != "" {
		t.Errorf("warned %q of interfaces that show all or are gone", got)
	}
}
