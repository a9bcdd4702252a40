package report

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/packetcache/packetcache/eventlog"
)

// Register makes sure that Event Viewer finds the texts of our events in the
// file beside this program, whoever has registered the service.
func Register() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("where this program lies cannot be told: %w", err)
	}
	dll := filepath.Join(filepath.Dir(self), eventlog.DLL)
	if _, err := os.Stat(dll); err != nil {
		return fmt.Errorf("the file with the texts of events is missing: %w", err)
	}
	return eventlog.Register(eventlog.Source, dll)
}
