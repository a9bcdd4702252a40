package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
)

const flagReplay = "replay"

// flags are the settings that have one, in the words of the settings, and
// --replay.
func flags() []cli.Flag {
	list := []cli.Flag{}
	for _, f := range config.Fields() {
		if f.Flag == "" {
			continue
		}
		usage, _, _ := strings.Cut(f.Doc, ". ")
		usage = strings.TrimSuffix(usage, ".")
		if f.Kind == config.List {
			list = append(list, &cli.StringSliceFlag{Name: f.Flag, Usage: usage + " (repeatable)"})
		} else {
			list = append(list, &cli.StringFlag{Name: f.Flag, Usage: usage + " (" + f.Allowed() + ")"})
		}
	}
	return append(list, &cli.StringSliceFlag{
		Name:  flagReplay,
		Usage: "Read the packets of `FILE`, pcap or pcapng, instead of live interfaces, then keep serving (repeatable)",
	})
}

// arguments are the settings given on the command line.
func arguments(c *cli.Context) *config.Args {
	args := &config.Args{}
	if c.Args().Present() {
		args.Set("ram-percent", c.Args().First())
	}
	for _, f := range config.Fields() {
		switch {
		case f.Flag == "" || !c.IsSet(f.Flag):
		case f.Kind == config.List:
			args.Set(f.Flag, c.StringSlice(f.Flag)...)
		default:
			args.Set(f.Flag, c.String(f.Flag))
		}
	}
	return args
}

// arrange moves the positional arguments behind the options, since the flag
// parser stops at the first of them.
func arrange(args []string) []string {
	takesValue := map[string]bool{}
	for _, f := range flags() {
		for _, name := range f.Names() {
			takesValue[name] = true
		}
	}
	options, rest := args[:min(1, len(args)):min(1, len(args))], []string{}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		name := strings.TrimLeft(arg, "-")
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) < 2 || arg[0] != '-':
			rest = append(rest, arg)
		default:
			options = append(options, arg)
			if takesValue[name] && i+1 < len(args) {
				i++
				options = append(options, args[i])
			}
		}
	}
	return append(append(options, "--"), rest...)
}
