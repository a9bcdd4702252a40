package pcctl

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// helpCommand is --help in the place where one may look for it.
func helpCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "explain a command",
		UsageText: "pcctl help [COMMAND]",
		ArgsUsage: "[COMMAND]",
		Description: `Prints what "pcctl COMMAND --help" does.

Examples:
  pcctl help dump
  pcctl help config set`,
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			path := c.Args().Slice()
			if _, found := commandAt(c.App.Commands, path); !found {
				return unknownCommand(c.App.Commands, strings.Join(path, " "))
			}
			args := append(append([]string{c.App.Name}, path...), "--help")
			return newApp(m, c.App.Writer, c.App.ErrWriter).RunContext(c.Context, args)
		},
	}
}

// commandAt finds the command of some words.
func commandAt(commands []*cli.Command, path []string) (found *cli.Command, ok bool) {
	for _, name := range path {
		found = commandNamed(commands, name)
		if found == nil || found.Hidden {
			return nil, false
		}
		commands = found.Subcommands
	}
	return found, found != nil
}

// commandNamed is the command of that name, nil if there is none.
func commandNamed(commands []*cli.Command, name string) *cli.Command {
	for _, command := range commands {
		if command.HasName(name) {
			return command
		}
	}
	return nil
}
