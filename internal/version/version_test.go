package version

import (
	"regexp"
	"runtime/debug"
	"testing"
)

// semver is the expression that https://semver.org recommends.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
	`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

func TestString(t *testing.T) {
	if v := String(); !semver.MatchString(v) {
		t.Errorf("String() = %q, not a semantic version", v)
	}
}

func TestFromBuildInfo(t *testing.T) {
	vcs := func(settings ...debug.BuildSetting) []debug.BuildSetting { return settings }
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	for _, test := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"nothing recorded", nil, "0.0.0-dev"},
		{"no repository", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "0.0.0-dev"},
		{"go install of a release", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "1.2.3"},
		{"clean commit", &debug.BuildInfo{Settings: vcs(revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"})}, "0.0.0-dev+0123456789ab"},
		{"changed files", &debug.BuildInfo{Settings: vcs(revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"})}, "0.0.0-dev+0123456789ab.dirty"},
		{"short hash", &debug.BuildInfo{Settings: vcs(debug.BuildSetting{Key: "vcs.revision", Value: "abc"})}, "0.0.0-dev+abc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fromBuildInfo(test.info); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
