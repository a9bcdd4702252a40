package commandline

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The errors of Go's package flag, which knows options by one dash only.
var (
	notDefined  = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	needsValue  = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
	wrongSwitch = regexp.MustCompile(`^invalid boolean value ("(?:[^"\\]|\\.)*") for -([^:]*): `)
	wrongNumber = regexp.MustCompile(`^invalid value ("(?:[^"\\]|\\.)*") for flag -([^:]*): (?:parse error|value out of range|strconv\.)`)
)

// Explain says of an error of the options what is wrong, where the library's words
// would not be understood; any other error it returns as it is. A word that could be
// a slip of one of the flags is told.
func Explain(err error, flags []cli.Flag) error {
	text := err.Error()
	if m := notDefined.FindStringSubmatch(text); m != nil {
		text := "there is no option " + dashed(m[1])
		var known []string
		for _, name := range visible(flags) {
			if len(name) > 1 { // a letter is no slip of another
				known = append(known, dashed(name))
			}
		}
		if near := Suggestion(dashed(m[1]), known); near != "" {
			text += ": " + near
		}
		return errors.New(text)
	}
	if m := needsValue.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s: its value is missing", dashed(m[1]))
	}
	if m := wrongSwitch.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s: %s is neither true nor false", dashed(m[2]), m[1])
	}
	if m := wrongNumber.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s: %s is not a number", dashed(m[2]), m[1])
	}
	return err
}

// visible are the names of flags that the help shows.
func visible(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		if v, ok := f.(cli.VisibleFlag); !ok || v.IsVisible() {
			names = append(names, f.Names()...)
		}
	}
	return append(names, "help")
}

// dashed is an option as it is typed: names of one letter have one dash.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + strings.TrimLeft(name, "-")
}

// Names are the names of commands that the help shows.
func Names(commands []*cli.Command) (names []string) {
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	slices.Sort(names)
	return names
}
