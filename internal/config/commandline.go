package config

import (
	"path/filepath"
	"runtime"
	"slices"
)

// Args is the Source of what was given on the command line.
type Args struct {
	entries []Entry
}

// Set adds the values given with one option; a second Set of the same name
// replaces the first. Name is that of the option without dashes, or the
// setting's own key; the RAM percentage given as the positional argument is
// "ram-percent". Relative paths are taken from the working directory. Load
// reports unknown names.
func (a *Args) Set(name string, values ...string) {
	entry := Entry{Key: name, Where: "--" + name}
	words := Words(slices.Clone(values))
	for _, f := range Fields() {
		if f.Flag != name && f.Key != name {
			continue
		}
		entry.Key = f.Key
		if f.Item == "directory" || f.Item == "endpoint" && runtime.GOOS != "windows" {
			for i, word := range words {
				// Without a working directory the check reports the relative path.
				if abs, err := filepath.Abs(word); err == nil && word != "" {
					words[i] = abs
				}
			}
		}
	}
	entry.Value = words
	a.entries = append(a.entries, entry)
}

// Origin is CommandLine.
func (a *Args) Origin() Origin { return CommandLine }

// Location is what messages call it.
func (a *Args) Location() string { return "command line" }

// Read returns what was set; it never fails.
func (a *Args) Read() ([]Entry, error) { return a.entries, nil }
