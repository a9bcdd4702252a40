package pcctl

import (
	"errors"
	"fmt"
	"runtime"

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
		manageCommand(m, service.Install, "register the service, to be started with the machine",
			"installed",
			`Registers packetcache with the system's service manager, from where it lies
now: put it in its final place first. An earlier registration is replaced.
Settings are not arguments of the service, see docs/configuration.md.`,
			"pcctl install", "pcctl install --binary /usr/local/bin/packetcache"),
		manageCommand(m, service.Uninstall, "stop the service and remove its registration",
			"uninstalled; settings and data are still there",
			`Stops the service, whereby it seals its cache into a file, and removes it from
the system's service manager. Settings and data stay, unless --purge removes them:
the settings of this machine, not those of a policy; the sealed cache and what
was set aside of it; and the keys, without which no copy of these can be opened
but by a recovery key.`,
			"pcctl uninstall", "pcctl uninstall --purge"),
		manageCommand(m, service.Start, "start the service",
			"started: \"pcctl status\" says what it records",
			`Starts the service that "pcctl install" registered.`,
			"pcctl start"),
		manageCommand(m, service.Stop, "stop the service",
			"stopped",
			`Stops the service, which seals its cache into a file for the next start.
Captures that are being written end incomplete.`,
			"pcctl stop"),
		manageCommand(m, service.Restart, "stop the service and start it again",
			"restarted: \"pcctl status\" says what it records",
			`Stops the service and starts it, whereby it reads all settings anew.`,
			"pcctl restart"),
	}
}

func manageCommand(m machine, action service.Action, usage, done, description string, examples ...string) *cli.Command {
	name := string(action)
	command := &cli.Command{
		Name:        name,
		Usage:       usage,
		UsageText:   "pcctl " + name,
		Description: description + "\n\n" + exampleList(examples),
		Action: func(c *cli.Context) error {
			if c.IsSet(flagEndpointDir) {
				return &usageProblem{command: name, err: errors.New("--endpoint-dir is for finding a running service; for the installed one it is a setting")}
			}
			options, warnings := m.options()
			if action == service.Install {
				options.Binary, options.Force = c.String("binary"), c.Bool("force")
				for _, w := range warnings {
					fmt.Fprintf(c.App.ErrWriter, "Warning: %s\n", clean(w.Error()))
				}
			}
			waiting := newWaiting(c.App.ErrWriter, name)
			options.Progress = waiting.show
			var found service.Outcome
			options.Report = func(o service.Outcome) { found = o }
			err := m.control(action, options)
			waiting.finish()
			done := done
			if action == service.Uninstall && c.Bool("purge") {
				err, done = m.uninstalled(err), "uninstalled, with its settings and data"
			}
			if err != nil {
				return explainManage(err)
			}
			for _, w := range found.Writers {
				fmt.Fprintf(c.App.ErrWriter, "Warning: %s, and so replace the program of the service%s.\n", clean(w.String()), notElevated(w))
			}
			if found.Ended != nil {
				fmt.Fprintf(c.App.ErrWriter, "Warning: the service did not end in order: %s\n", clean(found.Ended.Error()))
			}
			_, err = fmt.Fprintln(c.App.Writer, done+more(action, found))
			return err
		},
	}
	if action == service.Uninstall {
		command.UsageText += " [--purge]"
		command.Flags = []cli.Flag{&cli.BoolFlag{Name: "purge", Usage: "remove settings, the sealed cache and its keys, too"}}
	}
	if action == service.Install {
		command.UsageText += " [--binary FILE]"
		command.Flags = []cli.Flag{&cli.StringFlag{Name: "binary", Usage: "`FILE` to run as the service, if not the packetcache beside this pcctl"}}
		if runtime.GOOS == "windows" {
			command.UsageText += " [--force]"
			command.Flags = append(command.Flags, &cli.BoolFlag{Name: "force", Usage: "install it even where others than administrators can replace it"})
		}
	}
	return command
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

// more is what there is to say besides that it was done.
func more(action service.Action, found service.Outcome) string {
	if action != service.Install {
		return ""
	}
	text := ", and not yet started: \"pcctl start\" does that now, the next boot by itself"
	if found.Running {
		text = "; the service is running already, as it was registered before: \"pcctl restart\" has it run as it is now"
	}
	if found.Arguments != "" {
		text += "\nThe arguments of its earlier registration were kept, and win over settings: " + clean(found.Arguments)
	}
	return text
}

func exampleList(examples []string) string {
	list := "Examples:"
	if len(examples) == 1 {
		list = "Example:"
	}
	for _, e := range examples {
		list += "\n  " + e
	}
	return list
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

func explainManage(err error) error {
	switch {
	case errors.Is(err, service.ErrPermission):
		return withHint(err, hintElevate)
	case errors.Is(err, service.ErrForeign):
		return withHint(err, "it was left alone. If this PacketCache shall take its place, uninstall that one first, or remove its service with \"sc delete PacketCache\".")
	case errors.Is(err, service.ErrExposed):
		return withHint(err, `put the programs into "C:\Program Files\PacketCache" and install them from there, or take that right away (icacls). "pcctl install --force" installs them as they are.`)
	case errors.Is(err, service.ErrNotInstalled):
		return withHint(err, "\"pcctl install\" registers it.")
	}
	return err
}
