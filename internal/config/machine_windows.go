package config

import (
	"strings"

	"golang.org/x/sys/windows"
)

// MachineStore is where this machine's settings are kept and changed.
func MachineStore() Store { return settingsKey() }

// MachineSources are the places where the service looks for its settings, the
// command line apart.
func MachineSources() []Source { return []Source{settingsKey(), policyKey()} }

func platformDefault(f Field) string {
	const variable = "%ProgramData%"
	if !strings.Contains(f.DefaultWindows, variable) {
		return f.DefaultWindows
	}
	// The environment can be changed by whoever starts the program, the known
	// folder cannot.
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		dir = `C:\ProgramData`
	}
	return strings.ReplaceAll(f.DefaultWindows, variable, dir)
}
