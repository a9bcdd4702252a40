package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
)

const flagReplay = "replay"

// An option is a flag as the help shows it; without a value it is a switch.
type option struct {
	name, value, text string
	repeatable        bool
}

// options are the settings that have a flag, in the words of the settings, and
// --replay.
func options() []option {
	var list []option
	for _, f := range config.Fields() {
		if f.Flag == "" {
			continue
		}
		text, _, _ := strings.Cut(f.Doc, ". ")
		o := option{name: f.Flag, text: strings.TrimSuffix(text, "."), repeatable: f.Kind == config.List}
		switch f.Kind {
		case config.List:
			o.value = "PATTERN"
			switch f.Item {
			case "rule":
				o.value = "RULE"
			case "recipient":
				o.value = "KEY"
			}
		case config.Text:
			o.value = "DIR"
			if f.Item == "" {
				o.value = "EXPR"
			}
		case config.Switch:
			o.text = strings.TrimPrefix(o.text, "Whether to ")
			o.text = strings.ToUpper(o.text[:1]) + o.text[1:]
		case config.Choice:
			o.value = "LEVEL"
			o.text += ": " + strings.Join(f.Enum, ", ")
		case config.Interval:
			o.value = "DURATION"
			o.text += ": " + f.Allowed()
		case config.Bytes:
			o.value = "SIZE"
			o.text += ": " + f.Allowed()
		default:
			o.value = "NUMBER"
			o.text += ": " + f.Allowed()
		}
		list = append(list, o)
	}
	return append(list, option{
		name: flagReplay, value: "FILE", repeatable: true,
		text: "Read the packets of FILE, pcap or pcapng, instead of live interfaces, then keep serving",
	})
}

func flags() []cli.Flag {
	var list []cli.Flag
	for _, o := range options() {
		switch {
		case o.value == "":
			list = append(list, &cli.BoolFlag{Name: o.name})
		case o.repeatable:
			list = append(list, &cli.StringSliceFlag{Name: o.name})
		default:
			list = append(list, &cli.StringFlag{Name: o.name})
		}
	}
	return list
}

// optionsHelp lists the options, each with its text below it.
func optionsHelp() string {
	var b strings.Builder
	for _, o := range options() {
		if o.repeatable {
			o.text += "; may be given several times"
		}
		fmt.Fprintf(&b, "  %s\n%s", strings.TrimSpace("--"+o.name+" "+o.value), wrap(o.text+".", "      ", 78))
	}
	b.WriteString("  --help, -h\n      Show this help.\n  --version, -v\n      Print the version.\n")
	return b.String()
}

// wrap breaks text into lines of at most width columns that begin with indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// arguments are the settings given on the command line.
func arguments(c *cli.Context) (*config.Args, error) {
	args := &config.Args{}
	if c.Args().Present() {
		const flag = "ram-percent"
		if c.IsSet(flag) {
			return nil, fmt.Errorf("the share of memory is given twice: as %q and as --%s %q", c.Args().First(), flag, c.String(flag))
		}
		args.Set(flag, c.Args().First())
	}
	for _, o := range options() {
		switch {
		case o.name == flagReplay || !c.IsSet(o.name):
		case o.value == "":
			args.Set(o.name, strconv.FormatBool(c.Bool(o.name)))
		case o.repeatable:
			args.Set(o.name, c.StringSlice(o.name)...)
		default:
			args.Set(o.name, c.String(o.name))
		}
	}
	return args, nil
}

// arrange moves the positional arguments behind the options, since the flag
// parser stops at the first of them.
func arrange(args []string) []string {
	takesValue := map[string]bool{}
	for _, o := range options() {
		takesValue[o.name] = o.value != ""
	}
	named, rest := args[:min(1, len(args)):min(1, len(args))], []string{}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) < 2 || arg[0] != '-':
			rest = append(rest, arg)
		default:
			named = append(named, arg)
			if !takesValue[strings.TrimLeft(arg, "-")] {
				continue
			}
			if i++; i == len(args) {
				return named // for the parser to say that the value is missing
			}
			named = append(named, args[i])
		}
	}
	return append(append(named, "--"), rest...)
}
