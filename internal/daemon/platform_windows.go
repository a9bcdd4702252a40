package daemon

import (
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/adapters"
)

// livePlatform is how this machine's interfaces are reached.
func livePlatform() (capture.Platform, error) {
	return adapters.New()
}
