package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
)

const (
	// applyPatience is how long the service may take to work with a changed
	// setting; it looks for changes about once a second.
	applyPatience = 4 * time.Second
	applyPoll     = 50 * time.Millisecond
	// settlePoll is between two looks at what came of it.
	settlePoll = 250 * time.Millisecond
)

func configSetCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "give a setting a value",
		UsageText: "pcctl config set KEY VALUE...",
		ArgsUsage: "KEY VALUE...",
		Description: `Writes the value into the settings of this machine, which takes ` + administrator + `,
and says whether the running service works with it at once or from its next
start on. A list takes several values, one argument each: "Ethernet, 2" is
one name. A value that is not allowed is refused, and so is one that could
have no effect, because the command line of the running service or a policy
decides.

Examples:
  pcctl config set ram-percent 2.5
  pcctl config set ram-size 256MiB
  pcctl config set interfaces "Ethernet, 2" Wi-Fi
  pcctl config set capture-filter "not host 192.0.2.1"
  pcctl config set retain "x4 port 53" "x0.1 host 192.0.2.7"`,
		Action: func(c *cli.Context) error {
			if c.NArg() < 2 {
				return usage(withHint(errors.New("name a setting and its value"), "\"pcctl config unset KEY\" takes a value away."))
			}
			return m.change(c, c.Args().First(), c.Args().Tail())
		},
	}
}

func configUnsetCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "unset",
		Usage:     "remove a setting from those of this machine",
		UsageText: "pcctl config unset KEY",
		ArgsUsage: keyArgument,
		Description: `Removes the value from the settings of this machine, which takes ` + administrator + `,
so that its default is in force again.

Example:
  pcctl config unset ram-percent`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage(errors.New("name one setting"))
			}
			return m.change(c, c.Args().First(), nil)
		},
	}
}

// change gives a setting of the machine values, or takes its value away when
// there are none, and says what came of it.
func (m machine) change(c *cli.Context, key string, values []string) error {
	if err := known(key); err != nil {
		return err
	}
	if values != nil {
		if err := m.check(key, values); err != nil {
			return explainValue(err, values)
		}
	}
	client := m.newClient(c)
	defer client.Close()
	running, found, err := m.runningSettings(c.Context, client)
	if err != nil {
		return err
	}
	if !found {
		running = control.DescribeSettings(m.settings())
	}
	if values != nil {
		if err := fixed(running, key); err != nil {
			return err
		}
		err = m.store.Set(key, values...)
	} else {
		err = m.store.Unset(key)
	}
	if errors.Is(err, fs.ErrPermission) {
		return withHint(fmt.Errorf("%w: %w", service.ErrPermission, err), hintElevate)
	}
	if err != nil {
		return err
	}
	machineNow := control.DescribeSettings(m.settings())
	now, _ := machineNow.Find(key)
	lines := []string{changeLine(m.store.Location(), key, values, now)}
	if warning, absent := absentWarning(key, values); absent {
		fmt.Fprintln(c.App.ErrWriter, "Warning: "+warning)
	}
	applied := false
	if found {
		inForce, wrong, read := await(c.Context, client, key, now)
		lines = append(lines, outcome(inForce, wrong, read))
		applied = read && wrong == "" && !inForce.NeedsRestart
	} else {
		lines = append(lines, "The service is not running and starts with it.")
	}
	if err := printLines(c.App.Writer, append(lines, sizeNote(machineNow, running, key)...)); err != nil {
		return err
	}
	if field, _ := config.FieldByKey(key); applied && field.KeepsOut {
		for _, warning := range settledWarnings(c.Context, client) {
			fmt.Fprintln(c.App.ErrWriter, "Warning: "+clean(warning))
		}
	}
	return nil
}

// check holds values against what is allowed on this machine.
func (m machine) check(key string, values []string) error {
	loader := config.Loader{CheckGroup: ipc.CheckGroup, CheckFilter: func(expression string) error {
		expr, err := filter.Parse(expression)
		if err == nil {
			_, err = filter.NewSet(expr)
		}
		return err
	}}
	// Where the memory cannot be told, the service judges a size.
	loader.TotalRAM, _ = config.TotalRAM()
	return loader.Check(key, values...)
}

// explainValue says what is wrong with the value of a setting, and in the hint what
// would be right.
func explainValue(err error, values []string) error {
	var wrong *config.ValueError
	if !errors.As(err, &wrong) {
		return usage(err)
	}
	var syntax *filter.SyntaxError
	isWord := func(value string) bool { return !strings.Contains(strings.TrimSpace(value), " ") }
	switch {
	case wrong.Key == "retain" && slices.ContainsFunc(values, isWord): // a shell has taken them apart
		return usage(withHint(errors.New(wrong.Cause()), `put each rule in quotes, as in: pcctl config set retain "x4 port 53" "x0.1 host 192.0.2.7"`))
	case errors.As(err, &syntax):
		place := wrong.Key
		for i, value := range values {
			if rule, err := config.ParseRetain(value); err == nil && rule.Filter == syntax.Expr {
				place = fmt.Sprintf("%s, rule %d", wrong.Key, i+1)
			}
		}
		problem := control.FilterProblem(syntax)
		problem.Message = place + strings.TrimPrefix(problem.Message, "filter")
		return &filtered{syntax.Expr, usage(problem)}
	}
	return usage(withHint(errors.New(wrong.Cause()), "allowed is "+wrong.Allowed+"."))
}

// otherSize names the other one of the two ways to say how much memory.
var otherSize = map[string]string{"ram-percent": "ram-size", "ram-size": "ram-percent"}

// fixed refuses to set what a stronger place decides.
func fixed(s control.Settings, key string) error {
	for _, decides := range []string{key, otherSize[key]} {
		setting, _ := s.Find(decides)
		where := fmt.Sprintf("%s is fixed at %s", decides, valuesText(setting.Values))
		if decides != key {
			where = fmt.Sprintf("%s could have no effect, because %s", key, where)
		}
		switch setting.Origin {
		case config.CommandLine.String():
			return withHint(
				fmt.Errorf("%s by the command line of the running service (%s)", where, setting.Where),
				"nothing was changed; start the service without that option, as \"pcctl install\" registers it.")
		case config.Policy.String():
			return withHint(
				fmt.Errorf("%s by policy (%s)", where, setting.Where),
				"nothing was changed; it takes who sets the policies of this machine.")
		}
	}
	return nil
}

// await waits until the service has read the value, and returns what it says is
// wrong with it.
func await(ctx context.Context, client *control.Client, key string, want control.Setting) (now control.Setting, wrong string, read bool) {
	ctx, cancel := context.WithTimeout(ctx, applyPatience)
	defer cancel()
	tick := time.NewTicker(applyPoll)
	defer tick.Stop()
	for {
		if s, err := client.Settings(ctx); err == nil {
			now, _ = s.Find(key)
			if slices.Equal(now.Values, want.Values) {
				for _, p := range s.Problems {
					if p.Key == key {
						wrong = problemText(p)
					}
				}
				return now, wrong, true
			}
		}
		select {
		case <-ctx.Done():
			return now, "", false
		case <-tick.C:
		}
	}
}

// settledWarnings are those of the running service once it has opened and closed
// the interfaces that a change of its settings concerns, which it does soon after
// it has read them: when two looks at it show the same.
func settledWarnings(ctx context.Context, client *control.Client) []string {
	ctx, cancel := context.WithTimeout(ctx, applyPatience)
	defer cancel()
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	var last control.Status
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return last.Warnings
		case <-tick.C:
		}
		st, err := client.Status(ctx)
		if err != nil {
			return last.Warnings
		}
		sameState := func(a, b control.Interface) bool { return a.Name == b.Name && a.State == b.State }
		if !first && slices.EqualFunc(st.Interfaces, last.Interfaces, sameState) && slices.Equal(st.Warnings, last.Warnings) {
			return st.Warnings
		}
		last = st
	}
}

// changeLine says what was written.
func changeLine(place, key string, values []string, now control.Setting) string {
	if values != nil {
		return clean(fmt.Sprintf("%s = %s in %s", key, valuesText(now.Values), place))
	}
	return clean(fmt.Sprintf("%s is not set in %s; it is %s (%s)", key, place, valuesText(now.Values), now.Origin))
}

// outcome says what the running service makes of it.
func outcome(inForce control.Setting, wrong string, read bool) string {
	switch {
	case wrong != "":
		return clean("Not applied: " + wrong + ".")
	case read && inForce.NeedsRestart:
		return "Needs a restart: the running service works with the former value until \"pcctl restart\"."
	case read:
		return "Applied: the running service works with it."
	case inForce.Origin == config.CommandLine.String() || inForce.Origin == config.Policy.String():
		return clean(fmt.Sprintf("The running service works with %s, from the %s (%s).", valuesText(inForce.Values), inForce.Origin, inForce.Where))
	}
	return clean(fmt.Sprintf("Not applied within %v: the running service works with %s. Its log may say why.", applyPatience, valuesText(inForce.Values)))
}

// sizeNote warns that of the two ways to say how much memory the other one
// counts.
func sizeNote(machineNow, running control.Settings, key string) []string {
	if key != "ram-percent" {
		return nil
	}
	for _, s := range []control.Settings{running, machineNow} {
		if size, _ := s.Find("ram-size"); len(size.Values) > 0 {
			return []string{clean(fmt.Sprintf("It has no effect as long as ram-size is set: that is %s (%s).", valuesText(size.Values), size.Where))}
		}
	}
	return nil
}
