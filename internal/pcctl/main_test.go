package pcctl

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/service"
)

// TestMain makes the test binary the command, for scripts and for tests that
// send it signals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pcctl": func() {
			if path := os.Getenv(envSettings); path != "" {
				ctx, stop := notifyContext(context.Background())
				code := runOn(ctx, configured(path), os.Args, os.Stdout, os.Stderr)
				stop()
				os.Exit(code)
			}
			os.Exit(Main(os.Args, os.Stdout, os.Stderr))
		},
	})
}

// envSettings names a file that stands for the settings of the machine.
const envSettings = "PCCTL_TEST_SETTINGS"

// configured is a machine with its settings in a file.
func configured(path string) machine {
	store := config.TOMLFile{Path: path}
	return machine{
		settings: func() *config.Loaded { return (&config.Loader{Sources: []config.Source{store}}).Load(nil) },
		store:    store,
		control:  func(service.Action, service.Options) error { return errors.ErrUnsupported },
	}
}
