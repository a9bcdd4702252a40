package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/commandline"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/daemon"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
	"github.com/packetcache/packetcache/internal/version"
)

const description = `Without a service manager it runs in the foreground until Ctrl+C. What it
records is read with pcctl, or by connecting to the dump endpoint.

PERCENT is the share of the machine's memory to use, like --ram-percent.
Options stand before or after it, and win over the settings of the machine
(see docs/configuration.md).

Examples:
  packetcache                                       with the machine's settings
  packetcache 2.5 --exclude 'docker*'               2.5 % of RAM, not Docker
  packetcache --ram-size 40MiB --interface eth0     40 MiB, one interface
  packetcache --replay a.pcap --replay b.pcapng     what two files hold

Exit codes: 0 ended as told, 1 failed, 2 wrong usage or settings,
4 not permitted.`

// newApp makes the command line of serve.
func newApp(stdout, stderr io.Writer, serve cli.ActionFunc) *cli.App {
	return &cli.App{
		Name:        "packetcache",
		Usage:       "remember recent network traffic in a small share of memory",
		UsageText:   "packetcache [options] [PERCENT]",
		Description: description,
		Version:     version.String(),
		Writer:      stdout,
		ErrWriter:   stderr,
		Flags:       flags(),
		Action:      serve,
		OnUsageError: func(c *cli.Context, err error, _ bool) error {
			return usageError{commandline.Explain(err, c.App.Flags)}
		},
		ExitErrHandler:            func(*cli.Context, error) {},
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		CustomAppHelpTemplate:     help(),
	}
}

// help is a template of text/template.
func help() string {
	return "{{.Name}} - {{.Usage}}\n\nUsage: {{.UsageText}}\n\nOptions:\n" + optionsHelp() + "\n{{.Description}}\n"
}

// serve loads the settings and runs the daemon until c is done.
func serve(c *cli.Context, log *logrus.Logger, stdout io.Writer, ready func()) error {
	if c.Args().Len() > 1 {
		return usageError{fmt.Errorf("unexpected argument %q: PERCENT is the only one", c.Args().Get(1))}
	}
	ram, err := config.TotalRAM()
	if err != nil {
		return stepError{service.ExitRAM, err}
	}
	given, err := arguments(c)
	if err != nil {
		return usageError{err}
	}
	loader := &config.Loader{
		Sources:     append(config.MachineSources(), given),
		TotalRAM:    ram,
		CheckFilter: daemon.CheckFilter,
		CheckGroup:  ipc.CheckGroup,
	}
	loaded := loader.Load(nil)
	if wrong := loaded.ProblemsFrom(config.CommandLine); len(wrong) > 0 {
		// The value is not ignored, nothing starts with it.
		return usageError{errors.New(wrong[0].Reason)}
	}
	setLevel(log, loaded.LogLevel)
	// With some nothing is recorded. A service starts all the same, so that its
	// status tells; in a terminal there is somebody who can set it right.
	begins := service.Managed() || len(loaded.Unsafe()) == 0
	for _, problem := range loaded.Problems {
		if begins || !problem.Unsafe {
			eventlog.SettingWrong(problem.Where, problem.What()).Log(log)
		}
	}
	if !begins {
		return usageError{loaded.Unsafe()[0]}
	}
	o := daemon.Options{
		Loader: loader,
		Loaded: loaded,
		Replay: c.StringSlice(flagReplay),
		Log:    log,
		StopBy: service.StopBy,
	}
	if service.Managed() {
		defer watchCrashes(log, loaded.DataDir)()
	} else {
		o.Foreground = stdout
	}
	return daemon.Run(c.Context, o, ready)
}
