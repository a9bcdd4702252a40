// Package version knows which version this binary is.
package version

import "runtime/debug"

// version is set by the linker (see LDFLAGS in the Makefile) and nowhere else.
var version string

// String returns the version as a semantic version without a leading v, such
// as "1.2.3" or, between releases, "0.0.0-dev+abcdef123456". A binary that was
// built without the Makefile takes what the go command recorded in it.
func String() string {
	if version != "" {
		return version
	}
	info, _ := debug.ReadBuildInfo()
	return fromBuildInfo(info)
}

// commitLength is how much of a commit's hash a version shows, as
// scripts/version.sh does.
const commitLength = 12

func fromBuildInfo(info *debug.BuildInfo) string {
	const development = "0.0.0-dev"
	if info == nil {
		return development
	}
	if v := info.Main.Version; len(v) > 1 && v[0] == 'v' {
		return v[1:]
	}
	var commit, dirty string
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = "+" + setting.Value[:min(commitLength, len(setting.Value))]
		case "vcs.modified":
			if setting.Value == "true" {
				dirty = ".dirty"
			}
		}
	}
	if commit == "" {
		return development
	}
	return development + commit + dirty
}
