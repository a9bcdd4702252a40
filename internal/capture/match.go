package capture

import (
	"path"
	"slices"
	"strings"
)

// A selection is the interfaces that the settings ask for, by patterns as of
// path.Match: * and ? and [sets]. A pattern that is an interface's name, letter
// for letter, always means that interface, whatever signs it contains.
type selection struct {
	include []string // empty: all
	exclude []string
}

// matches reports whether a pattern means the name.
func matches(pattern, name string) bool {
	if pattern == name {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok // what is no pattern is a name, compared above
}

// matchesAny reports whether one of the patterns means the name.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// isName reports whether a pattern can mean one interface only.
func isName(pattern string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return true
	}
	_, err := path.Match(pattern, "")
	return err != nil
}

// missing returns the names that are asked for and are not among those present.
func (s selection) missing(present []Link) (names []string) {
	for _, p := range s.include {
		there := slices.ContainsFunc(present, func(l Link) bool { return matches(p, l.Name) })
		if isName(p) && !there && !slices.Contains(names, p) {
			names = append(names, p)
		}
	}
	return names
}
