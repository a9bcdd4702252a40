package daemon

import (
	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/afpacket"
)

// leastRing is the least memory in bytes with which an interface is captured
// from; 0 means that of package capture.
const leastRing = 0

// livePlatform is how this machine's interfaces are reached. The error says
// what the process is not permitted to do.
func livePlatform() (capture.Platform, error) {
	if err := afpacket.Permitted(); err != nil {
		return nil, err
	}
	return afpacket.Platform{}, nil
}
