package pcctl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/commandline"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

func configCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "config",
		Usage:     "show and change the settings",
		UsageText: "pcctl config list|get|set|unset [options] [KEY [VALUE...]]",
		ArgsUsage: "list|get|set|unset",
		Description: settingPlaces + `

docs/configuration.md explains each setting.

Examples:
  pcctl config list --origin
  pcctl config get ram-percent
  pcctl config set ram-percent 2.5
  pcctl config set interfaces "Ethernet, 2" Wi-Fi
  pcctl config unset ram-percent

"pcctl config COMMAND --help" explains a command.`,
		Action: func(c *cli.Context) error {
			switch {
			case !c.Args().Present():
				return usage(errors.New("list, get, set or unset is missing"))
			case c.Args().First() == "help":
				return cli.ShowSubcommandHelp(c)
			}
			return usage(fmt.Errorf("%q is none of list, get, set and unset", c.Args().First()))
		},
		Subcommands: []*cli.Command{
			configListCommand(m), configGetCommand(m), configSetCommand(m), configUnsetCommand(m),
		},
	}
}

func configListCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list all settings with their values",
		UsageText: "pcctl config list [--origin] [--json]",
		Description: `Lists the settings that the running service works with. When none runs, or
this account may not ask it, those of the machine, without a command line.

Examples:
  pcctl config list
  pcctl config list --origin
  pcctl config list --json`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "origin", Usage: "say where each value comes from", DisableDefaultText: true},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			settings, err := m.shownSettings(c)
			if err != nil {
				return err
			}
			if c.Bool(flagJSON) {
				return printJSON(c.App.Writer, settings)
			}
			return printLines(c.App.Writer, settingLines(settings, c.Bool("origin")))
		},
	}
}

func configGetCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "print the value of a setting",
		UsageText: "pcctl config get [--json] KEY",
		ArgsUsage: keyArgument,
		Description: `Prints the value that the running service works with, of a list one item a
line; nothing when it is not set. When no service runs, or this account may
not ask it, the value of the machine's settings.

Examples:
  pcctl config get ram-percent
  pcctl config get --json interfaces`,
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage(errors.New("name one setting"))
			}
			key := c.Args().First()
			if err := known(key); err != nil {
				return err
			}
			settings, err := m.shownSettings(c)
			if err != nil {
				return err
			}
			setting, ok := settings.Find(key)
			switch {
			case !ok:
				return fmt.Errorf("the service, of another version, does not know %s", key)
			case c.Bool(flagJSON):
				return printJSON(c.App.Writer, setting)
			case len(setting.Values) == 0:
				return nil
			}
			return printLines(c.App.Writer, setting.Values)
		},
	}
}

// known refuses what is not a setting.
func known(key string) error {
	if _, ok := config.FieldByKey(key); ok {
		return nil
	}
	var keys []string
	for _, f := range config.Fields() {
		if f.OS == "" || f.OS == runtime.GOOS {
			keys = append(keys, f.Key)
		}
	}
	hint := commandline.Suggestion(key, keys)
	if hint == "" {
		hint = "\"pcctl config list\" has all settings."
	}
	// The check of values tells what it is called, if it has another form.
	return usage(withHint((&config.Loader{}).Check(key), hint))
}

// usage marks an error that is in the command line.
func usage(err error) error { return &usageProblem{err: err} }

// runningSettings asks the service. Without one, or one too old to answer,
// there is no error and found is false.
func (m machine) runningSettings(ctx context.Context, client *control.Client) (settings control.Settings, found bool, err error) {
	settings, err = client.Settings(ctx)
	var problem *control.Problem
	switch {
	case err == nil:
		return settings, true, nil
	case errors.Is(err, ipc.ErrNotRunning), errors.As(err, &problem) && problem.Status == http.StatusNotFound:
		return settings, false, nil
	}
	return settings, false, err
}

// shownSettings are those of the running service, else those of the machine;
// in that case it says so.
func (m machine) shownSettings(c *cli.Context) (control.Settings, error) {
	client := m.newClient(c)
	defer client.Close()
	settings, found, err := m.runningSettings(c.Context, client)
	switch {
	case found:
		return settings, nil
	case err == nil:
		fmt.Fprintln(c.App.ErrWriter, "The service is not running: these are the settings that it would start with.")
	case errors.Is(err, ipc.ErrPermission):
		fmt.Fprintln(c.App.ErrWriter, "This account may not ask the service: these are the settings of the machine; a command line of the service is not known.")
	default:
		return settings, err
	}
	return control.DescribeSettings(m.settings()), nil
}

func settingLines(s control.Settings, origin bool) []string {
	t := table{header: []string{"SETTING", "VALUE"}}
	if origin {
		t.header = append(t.header, "ORIGIN", "WHERE")
	}
	t.header = append(t.header, "APPLIES")
	for _, setting := range s.Settings {
		row := []string{setting.Key, valuesText(setting.Values)}
		if origin {
			row = append(row, setting.Origin, setting.Where)
		}
		note := ""
		if setting.NeedsRestart {
			note = "after a restart"
		}
		t.add(append(row, note)...)
	}
	lines := t.lines()
	if len(s.Problems) > 0 {
		lines = append(lines, "", "Not in force")
		for _, p := range s.Problems {
			lines = append(lines, "  "+clean(problemText(p)))
		}
	}
	return lines
}

func problemText(p control.SettingProblem) string {
	return config.Problem{Where: p.Where, Reason: p.Reason, Instead: p.Instead}.Error()
}

// valuesText is a value as it would stand on a command line.
func valuesText(values []string) string {
	if len(values) == 0 {
		return "-"
	}
	return clean(config.Words(values).String())
}
