package control

import (
	"net/http"

	"github.com/packetcache/packetcache/internal/config"
)

// A Setting is one setting with the value in force.
type Setting struct {
	// Key is its name: "ram-percent".
	Key string `json:"key"`
	// Values are its value as on the command line: any number for a list, one
	// for anything else, none when it is not set.
	Values []string `json:"values"`
	// Origin says what kind of place the value comes from: "default", "file",
	// "registry", "command line" or "policy"; Where is the place itself, empty
	// for a default.
	Origin string `json:"origin"`
	Where  string `json:"where,omitempty"`
	// NeedsRestart is true when the value has changed and the service works with
	// it only after it was started again.
	NeedsRestart bool `json:"needs_restart"`
	// Allowed says in words which values there may be.
	Allowed string `json:"allowed"`
}

// A SettingProblem is a value that was found and is not in force.
type SettingProblem struct {
	// Key is the setting, or the unknown name; empty when a whole place could
	// not be read.
	Key string `json:"key,omitempty"`
	// Origin and Where say where the value stands.
	Origin string `json:"origin"`
	Where  string `json:"where"`
	// Reason says what is wrong and what would be right, Instead what is in
	// force; the latter may be empty.
	Reason  string `json:"reason"`
	Instead string `json:"instead,omitempty"`
}

// Settings is the answer to GET /v1/settings.
type Settings struct {
	Settings []Setting        `json:"settings"`
	Problems []SettingProblem `json:"problems"`
}

// Find returns the setting with that key, or false.
func (s *Settings) Find(key string) (Setting, bool) {
	for _, setting := range s.Settings {
		if setting.Key == key {
			return setting, true
		}
	}
	return Setting{}, false
}

// DescribeSettings tells settings that were loaded as the endpoint does.
func DescribeSettings(loaded *config.Loaded) Settings {
	s := Settings{Settings: []Setting{}, Problems: []SettingProblem{}}
	for _, v := range loaded.Values() {
		words := []string(v.Words)
		if len(words) == 1 && words[0] == "" {
			words = nil
		}
		s.Settings = append(s.Settings, Setting{
			Key: v.Field.Key, Values: orEmpty(words),
			Origin: v.Origin.String(), Where: v.Where, Allowed: v.Field.Allowed(),
		})
	}
	for _, p := range loaded.Problems {
		s.Problems = append(s.Problems, SettingProblem{
			Key: p.Key, Origin: p.Origin.String(), Where: p.Where, Reason: p.Reason, Instead: p.Instead,
		})
	}
	return s
}

func (s *Server) settings(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		badRequest("the path takes no parameters", "").write(w)
		return
	}
	settings, err := s.service.Settings(r.Context())
	if err != nil {
		problemOf(err).write(w)
		return
	}
	settings.Settings, settings.Problems = orEmpty(settings.Settings), orEmpty(settings.Problems)
	writeJSON(w, http.StatusOK, settings)
}
