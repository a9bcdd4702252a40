// Package pcctl is the command line of the service. It knows the service only
// by its control endpoint and links nothing that captures or keeps packets, so
// that it starts at once and runs where the service does not.
package pcctl

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/commandline"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/version"
)

// envEndpointDir is where every command looks for --endpoint-dir.
const envEndpointDir = "PACKETCACHE_ENDPOINT_DIR"

const (
	flagEndpointDir = "endpoint-dir"
	flagJSON        = "json"
)

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 usage,
// 3 service not reachable, 4 not permitted. args begins with the name of the
// program. Ctrl+C and a request to terminate end the command in good order; a
// second one ends it at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := notifyContext(context.Background())
	defer stop()
	return run(ctx, args, stdout, stderr)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runOn(ctx, thisMachine(), args, stdout, stderr)
}

func runOn(ctx context.Context, m machine, args []string, stdout, stderr io.Writer) int {
	app := newApp(m, stdout, stderr)
	err := app.RunContext(ctx, optionsFirst(app, args))
	if err == nil {
		return exitOK
	}
	return report(stderr, err)
}

func newApp(m machine, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:        "pcctl",
		Usage:       "see and dump what the PacketCache service on this machine remembers",
		UsageText:   "pcctl COMMAND [options]",
		Description: appDescription,
		Version:     version.String(),
		Writer:      stdout,
		ErrWriter:   stderr,
		Flags:       []cli.Flag{endpointDirFlag(), cli.HelpFlag}, // which the library leaves to who has a command help
		Action:      noCommand,
		OnUsageError: func(c *cli.Context, err error, _ bool) error {
			return &usageProblem{err: commandline.Explain(err, c.App.Flags)}
		},
		ExitErrHandler:            func(*cli.Context, error) {}, // codes are chosen in report
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		CustomAppHelpTemplate:     appHelp,
	}
	for _, command := range []*cli.Command{
		statusCommand(m),
		planCommand(m),
		interfacesCommand(m),
		dumpCommand(m),
		decryptCommand(m),
		verifyCommand(m),
		clearCommand(m),
		configCommand(m),
	} {
		withEndpointDir(command)
		app.Commands = append(app.Commands, command)
	}
	extcap := extcapCommand(m)
	withEndpointDir(extcap)
	app.Commands = append(app.Commands, manageCommands(m)...)
	app.Commands = append(app.Commands, extcap, eventsCommand(), versionCommand(), completionCommand(), completeCommand(m), helpCommand(m))
	for _, command := range app.Commands {
		prepare(command, command.Name)
	}
	return app
}

// withEndpointDir lets a command and those below it be told where the service
// is.
func withEndpointDir(command *cli.Command) {
	command.Flags = append(command.Flags, endpointDirFlag())
	for _, below := range command.Subcommands {
		withEndpointDir(below)
	}
}

// appHelp is the help of the program as a whole.
const appHelp = `{{.Name}} - {{.Usage}}

Usage: {{.UsageText}}

Commands:
{{- range .VisibleCommands}}
   {{printf "%-11s" .Name}} {{.Usage}}{{end}}

Options before or after the command:
{{- range .VisibleFlags}}
   {{.}}{{end}}

{{.Description}}
`

const appDescription = `Examples:
  pcctl status                       what is recorded, and how far back it reaches
  pcctl dump -w out.pcap             everything, for Wireshark
  pcctl dump --last 2h --filter "port 53" -w dns.pcap

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 service not reachable,
4 not permitted. "pcctl COMMAND --help" explains a command.`

// prepare gives a command, called name, and those below it what all of them
// have.
func prepare(command *cli.Command, name string) {
	command.HideHelpCommand = true
	command.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		return &usageProblem{command: name, err: commandline.Explain(err, command.Flags)}
	}
	action := command.Action
	command.Action = func(c *cli.Context) error {
		// The flag parser stops at the first argument, and what follows it must
		// not be ignored.
		if command.ArgsUsage == "" && c.Args().Present() {
			return &usageProblem{command: name, err: fmt.Errorf("unexpected argument %q", c.Args().First())}
		}
		// Nor must it become the value of a setting.
		if option, ok := optionAmong(c.Args().Slice()); ok && len(command.Subcommands) == 0 && !command.Hidden {
			return &usageProblem{command: name, err: fmt.Errorf("%s stands behind an argument: options come before %s", option, command.ArgsUsage)}
		}
		return inCommand(name, action(c))
	}
	for _, below := range command.Subcommands {
		prepare(below, name+" "+below.Name)
	}
}

// optionAmong finds an argument that is meant as an option. No name of an
// interface, filter or directory looks like one.
func optionAmong(args []string) (option string, found bool) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "--") || arg == "-h" {
			option, _, _ = strings.Cut(arg, "=")
			return clean(option), true
		}
	}
	return "", false
}

func endpointDirFlag() *cli.StringFlag {
	return &cli.StringFlag{
		Name:  flagEndpointDir,
		Usage: endpointDirUsage,
	}
}

func jsonFlag() *cli.BoolFlag {
	return &cli.BoolFlag{Name: flagJSON, Usage: "print JSON instead of a table", DisableDefaultText: true}
}

// endpointDir is where the service is to be found: the flag of the command,
// else that before the command, else the environment, else the settings of the
// machine. The library would take the flag of the command even where it is not
// given.
func (m machine) endpointDir(c *cli.Context) string {
	for _, ctx := range c.Lineage() {
		if ctx.Command != nil && ctx.IsSet(flagEndpointDir) {
			return ctx.String(flagEndpointDir)
		}
	}
	if dir := os.Getenv(envEndpointDir); dir != "" {
		return dir
	}
	return m.settings().EndpointDir
}

func (m machine) newClient(c *cli.Context) *control.Client {
	return control.NewClient(m.endpointDir(c))
}

func noCommand(c *cli.Context) error {
	if !c.Args().Present() {
		c.App.Writer = c.App.ErrWriter
		_ = cli.ShowAppHelp(c)
		return &usageProblem{err: fmt.Errorf("no command given")}
	}
	return unknownCommand(c.App.Commands, c.Args().First())
}

// unknownCommand refuses a word that is none of the commands, and says which it may
// be a slip of.
func unknownCommand(commands []*cli.Command, word string) error {
	err := fmt.Errorf("unknown command %q", word)
	hint := `"pcctl --help" lists them all.`
	if near := commandline.Suggestion(word, commandline.Names(commands)); near != "" {
		hint = near
	}
	return &usageProblem{err: withHint(err, hint)}
}

// hostname is the name of this machine, for file names.
func hostname() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}
