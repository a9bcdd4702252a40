//go:build unix

package config

// MachineStore is where this machine's settings are kept and changed.
func MachineStore() Store { return TOMLFile{DefaultFile} }

// MachineSources are the places where the service looks for its settings, the
// command line apart.
func MachineSources() []Source { return []Source{TOMLFile{DefaultFile}} }

func platformDefault(f Field) string { return f.Default }
