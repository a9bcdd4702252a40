package daemon

import (
	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/config"
)

// options are those of a daemon with the settings, in 16 MiB.
func options(settings config.Settings, replay ...string) Options {
	settings.RAMSize = 16 * config.MiB
	settings.Persist = false // not into the directory of this machine's service
	return Options{
		Loader: &config.Loader{TotalRAM: 1 << 30},
		Loaded: &config.Loaded{Settings: settings},
		Replay: replay,
		Log:    logrus.New(),
	}
}
