package pcctl

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// optionsFirst puts the options of a command before its arguments, for those
// commands that take a file or the name of a setting: the library stops at the first
// argument, and "pcctl decrypt FILE -w OUT" is how one writes it. A value for a
// setting may itself look like an option.
func optionsFirst(app *cli.App, args []string) []string {
	at := 1
	for at < len(args) && strings.HasPrefix(args[at], "-") && args[at] != "-" {
		at += width(app.Flags, args[at])
	}
	if at >= len(args) {
		return args
	}
	command := app.Command(args[at])
	for command != nil && len(command.Subcommands) > 0 {
		for at++; at < len(args) && strings.HasPrefix(args[at], "-"); {
			at += width(command.Flags, args[at])
		}
		if at >= len(args) {
			return args
		}
		command = commandNamed(command.Subcommands, args[at])
	}
	if command == nil || command.ArgsUsage != fileArgument && command.ArgsUsage != keyArgument {
		return args
	}
	out := slices.Clone(args[:at+1])
	var behind []string
	for rest := args[at+1:]; len(rest) > 0; {
		n := 1
		switch first := rest[0]; {
		case first == "--":
			behind = append(behind, rest[1:]...)
			n = len(rest)
		case strings.HasPrefix(first, "-") && first != "-":
			if n = width(command.Flags, first); n > len(rest) {
				return append(out, first) // its value is missing, which the library says
			}
			out = append(out, rest[:n]...)
		default:
			behind = append(behind, first)
		}
		rest = rest[n:]
	}
	if len(behind) > 0 {
		out = append(append(out, "--"), behind...)
	}
	return out
}

// How the help names the argument of such a command.
const (
	fileArgument = "FILE"
	keyArgument  = "KEY"
)

// width is how many arguments an option takes up: two, if its value is the next
// one.
func width(flags []cli.Flag, option string) int {
	name, _, hasValue := strings.Cut(strings.TrimLeft(option, "-"), "=")
	if hasValue {
		return 1
	}
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			if takes, ok := f.(cli.DocGenerationFlag); ok && takes.TakesValue() {
				return 2
			}
		}
	}
	return 1
}
