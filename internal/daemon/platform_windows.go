package daemon

import (
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/adapters"
	"github.com/packetcache/packetcache/internal/capture/npcap"
)

// leastRing is the least memory in bytes with which an interface is captured
// from; 0 means that of package capture.
const leastRing = npcap.MinRing

// livePlatform is how this machine's interfaces are reached.
func livePlatform() (capture.Platform, error) {
	return adapters.New()
}
