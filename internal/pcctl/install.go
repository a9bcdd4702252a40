package pcctl

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/service"
)

func installCommand(m machine) *cli.Command {
	command := &cli.Command{
		Name:      string(service.Install),
		Usage:     "register the service, to be started with the machine, and start it",
		UsageText: "pcctl install [--ram-percent PERCENT] [--interface NAME]... [--exclude NAME]...\n[--no-start] [--binary FILE]",
		Description: `Registers packetcache with the system's service manager, from where it lies
now: put it in its final place first. An earlier registration is replaced, so it
can be repeated. Then the service is started, unless it runs already.

--ram-percent, --interface and --exclude are written into the settings of this
machine before that, as "pcctl config set" does; those that are not given stay as
they are.

Examples:
  pcctl install
  pcctl install --ram-percent 2 --interface eth0 --interface "wl*"`,
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "ram-percent", Usage: "share of the machine's memory in `PERCENT`", DefaultText: "the setting"},
			&cli.StringSliceFlag{Name: "interface", Usage: "interface to record, `NAME` or pattern; may be given several times"},
			&cli.StringSliceFlag{Name: "exclude", Usage: "interface not to record, `NAME` or pattern; may be given several times"},
			&cli.BoolFlag{Name: "no-start", Usage: "leave it to the next boot to start it", DisableDefaultText: true},
			&cli.StringFlag{Name: "binary", Usage: "`FILE` to run as the service, if not the packetcache beside this pcctl"},
		},
		Action: func(c *cli.Context) error { return installAction(m, c) },
	}
	if runtime.GOOS == "windows" {
		command.UsageText += " [--force]"
		command.Flags = append(command.Flags, &cli.BoolFlag{Name: "force", Usage: "install it even where others than administrators can replace it", DisableDefaultText: true})
	}
	return command
}

// A chosen setting is one that install is told.
type chosen struct {
	key    string
	values []string
}

// chosenSettings are those among the options, in the order in which they are
// written.
func chosenSettings(c *cli.Context) (all []chosen) {
	if c.IsSet("ram-percent") {
		all = append(all, chosen{"ram-percent", []string{strconv.FormatFloat(c.Float64("ram-percent"), 'f', -1, 64)}})
	}
	if c.IsSet("interface") {
		all = append(all, chosen{"interfaces", c.StringSlice("interface")})
	}
	if c.IsSet("exclude") {
		all = append(all, chosen{"exclude", c.StringSlice("exclude")})
	}
	return all
}

func installAction(m machine, c *cli.Context) error {
	settings := chosenSettings(c)
	for _, s := range settings {
		if err := m.check(s.key, s.values); err != nil {
			return usage(err)
		}
		if err := fixed(control.DescribeSettings(m.settings()), s.key); err != nil {
			return err
		}
	}
	options, warnings := m.options()
	for _, w := range warnings {
		fmt.Fprintf(c.App.ErrWriter, "Warning: %s\n", clean(w.Error()))
	}
	options.Binary, options.Force = c.String("binary"), c.Bool("force")
	found, err := m.act(c, service.Install, options)
	if err != nil {
		return explainManage(service.Install, err)
	}
	lines := []string{"installed"}
	if found.Arguments != "" {
		lines = append(lines, "The arguments of its earlier registration were kept, and win over settings: "+clean(found.Arguments))
	}
	for _, s := range settings {
		if err := m.store.Set(s.key, s.values...); errors.Is(err, fs.ErrPermission) {
			return withHint(fmt.Errorf("%w: %w", service.ErrPermission, err), hintElevate)
		} else if err != nil {
			return err
		}
		if warning, absent := absentWarning(s.key, s.values); absent {
			fmt.Fprintln(c.App.ErrWriter, "Warning: "+warning)
		}
		lines = append(lines, clean(fmt.Sprintf("%s = %s in %s", s.key, valuesText(s.values), m.store.Location())))
	}
	switch {
	case found.Running:
		lines = append(lines, "The service is running already, as it was registered before: \"pcctl restart\" has it run as it is now.")
	case c.Bool("no-start"):
		lines = append(lines, "Not started: \"pcctl start\" does that now, the next boot by itself.")
	default:
		if _, err := m.act(c, service.Start, options); err != nil {
			_ = printLines(c.App.Writer, lines)
			return explainManage(service.Start, fmt.Errorf("it was installed, and could not be started: %w", err))
		}
		lines = append(lines, "Started: \"pcctl status\" says what it records.")
	}
	return printLines(c.App.Writer, lines)
}
