package daemon

import (
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/afpacket"
)

// livePlatform is how this machine's interfaces are reached. The error says
// what the process is not permitted to do.
func livePlatform() (capture.Platform, error) {
	if err := afpacket.Permitted(); err != nil {
		return nil, err
	}
	return afpacket.Platform{}, nil
}
