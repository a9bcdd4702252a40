package pcctl

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/guard"
	"github.com/packetcache/packetcache/internal/service"
)

// A machine is what pcctl touches beside the control endpoint.
type machine struct {
	// settings reads what this machine is configured with.
	settings func() *config.Loaded
	// store is where that configuration is changed.
	store config.Store
	// control acts on the system's service manager.
	control func(service.Action, service.Options) error
	// purge removes what the service keeps in a directory.
	purge func(dataDir string) error
}

func thisMachine() machine {
	return machine{
		settings: func() *config.Loaded {
			return (&config.Loader{Sources: config.MachineSources()}).Load(nil)
		},
		store:   config.MachineStore(),
		control: service.Control,
		purge:   purgeData,
	}
}

// manageCommands register the service with the system, start it and stop it.
func manageCommands(m machine) []*cli.Command {
	return []*cli.Command{
		installCommand(m),
		uninstallCommand(m),
		manageCommand(m, service.Start, "start the service",
			"started: \"pcctl status\" says what it records",
			`Starts the service that "pcctl install" registered.`),
		manageCommand(m, service.Stop, "stop the service",
			"stopped",
			`Stops the service, which seals its cache into a file for the next start.
Captures that are being written end incomplete, those that follow in good order.`),
		manageCommand(m, service.Restart, "stop the service and start it again",
			"restarted: \"pcctl status\" says what it records",
			`Stops the service and starts it, whereby it reads all settings anew.`),
	}
}

func manageCommand(m machine, action service.Action, usage, done, description string) *cli.Command {
	name := string(action)
	return &cli.Command{
		Name:        name,
		Usage:       usage,
		UsageText:   "pcctl " + name,
		Description: description + "\n\nExample:\n  pcctl " + name,
		Action: func(c *cli.Context) error {
			options, _ := m.options()
			if _, err := m.act(c, action, options); err != nil {
				return explainManage(action, err)
			}
			return printLines(c.App.Writer, []string{done})
		},
	}
}

// act has the service manager do something, says what is remarkable, and returns
// what it found.
func (m machine) act(c *cli.Context, action service.Action, options service.Options) (found service.Outcome, err error) {
	if c.IsSet(flagEndpointDir) {
		return found, usage(errors.New("--endpoint-dir is for finding a running service; for the installed one it is a setting"))
	}
	waiting := newWaiting(c.App.ErrWriter, string(action))
	options.Progress = waiting.show
	options.Report = func(o service.Outcome) { found = o }
	err = m.control(action, options)
	waiting.finish()
	if err != nil {
		return found, err
	}
	for _, w := range found.Writers {
		fmt.Fprintf(c.App.ErrWriter, "Warning: %s, and so replace the program of the service%s.\n", clean(w.String()), notElevated(w))
	}
	if found.Ended != nil {
		fmt.Fprintf(c.App.ErrWriter, "Warning: the service did not end in order: %s\n", clean(found.Ended.Error()))
	}
	return found, nil
}

func uninstallCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      string(service.Uninstall),
		Usage:     "stop the service and remove its registration",
		UsageText: "pcctl uninstall [--purge]",
		Description: `Stops the service, whereby it seals its cache into a file, and removes it from
the system's service manager. Settings and data stay, unless --purge removes them:
the settings of this machine, not those of a policy; the sealed cache and what
was set aside of it; and the keys, without which no copy of these can be opened
but by a recovery key.

Examples:
  pcctl uninstall
  pcctl uninstall --purge`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "purge", Usage: "remove settings, the sealed cache and its keys, too", DisableDefaultText: true}},
		Action: func(c *cli.Context) error {
			options, _ := m.options()
			_, err := m.act(c, service.Uninstall, options)
			done := "uninstalled; settings and data are still there"
			if c.Bool("purge") {
				err, done = m.uninstalled(err), "uninstalled, with its settings and data"
			}
			if err != nil {
				return explainManage(service.Uninstall, err)
			}
			return printLines(c.App.Writer, []string{done})
		},
	}
}

// uninstalled removes settings and data after the service was, or was not because
// of an error. That it is not installed, or not gone as long as something shows
// it, keeps nothing from being removed.
func (m machine) uninstalled(err error) error {
	if errors.Is(err, service.ErrPermission) || errors.Is(err, service.ErrForeign) {
		return err
	}
	if errors.Is(err, service.ErrNotInstalled) {
		err = nil
	}
	data := m.purge(m.settings().DataDir)
	if data != nil {
		data = fmt.Errorf("the data was not removed: %w", data)
	}
	return errors.Join(err, data, m.store.Remove())
}

// notElevated says what is remarkable about a writer that is the caller.
func notElevated(w guard.Writer) string {
	if w.Own {
		return ", also without being elevated"
	}
	return ""
}

// options are those that the settings decide.
func (m machine) options() (service.Options, []config.Problem) {
	loaded := m.settings()
	defaults := config.Defaults()
	options := service.Options{SocketGroup: loaded.SocketGroup}
	if loaded.DataDir != defaults.DataDir {
		options.DataDir = loaded.DataDir
	}
	if loaded.EndpointDir != defaults.EndpointDir {
		options.WritablePaths = append(options.WritablePaths, loaded.EndpointDir)
	}
	return options, loaded.Problems
}

// explainManage says what to do about an action that failed.
func explainManage(action service.Action, err error) error {
	switch {
	case errors.Is(err, service.ErrPermission):
		return withHint(err, hintElevate)
	case errors.Is(err, service.ErrForeign):
		return withHint(err, "it was left alone. If this PacketCache shall take its place, uninstall that one first, or remove its service with \"sc delete PacketCache\".")
	case errors.Is(err, service.ErrExposed):
		return withHint(err, `put the programs into "C:\Program Files\PacketCache" and install them from there, or take that right away (icacls). "pcctl install --force" installs them as they are.`)
	case errors.Is(err, service.ErrNotInstalled) && action == service.Uninstall:
		return withHint(err, "\"pcctl uninstall --purge\" removes settings and data that it has left.")
	case errors.Is(err, service.ErrNotInstalled):
		return withHint(err, "\"pcctl install\" registers it.")
	case errors.Is(err, service.ErrNoManager):
		return withHint(err, "have what runs it start packetcache as root, or do it yourself in a terminal.")
	}
	return err
}
