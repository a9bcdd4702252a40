package daemon

import (
	"errors"

	"github.com/packetcache/packetcache/internal/capture"
)

// livePlatform is how this machine's interfaces are reached.
func livePlatform() (capture.Platform, error) {
	return nil, errors.New("this version captures live on Linux only; on Windows it can replay files (--replay FILE)")
}
