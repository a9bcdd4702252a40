// Command packetcache is the service: it keeps the recent packets of all
// interfaces in a small share of memory, for administrators to read.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/crash"
	"github.com/packetcache/packetcache/internal/service"
	_ "github.com/packetcache/packetcache/internal/system32" // before anything loads a DLL
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
// The service manager is there from the beginning, so that it learns of
// everything that can fail.
func run(args []string, stdout, stderr io.Writer) int {
	log, end := newLogger(stderr)
	if err := crash.KeepMemory(); err != nil {
		eventlog.Unnumbered("A crash may leave memory, and so packets, on the disk: " + err.Error()).Log(log)
	}
	config := service.Config{Name: "PacketCache", Log: log, ExitCode: serviceCode}
	err := service.Run(config, func(ctx context.Context, ready func()) error {
		app := newApp(stdout, stderr, func(c *cli.Context) error { return serve(c, log, stdout, ready) })
		return app.RunContext(ctx, arrange(args))
	})
	defer end() // within a second
	if errors.Is(err, service.ErrHung) {
		return exitFailed // the log has been told
	}
	code := exit(stderr, err)
	if service.Managed() && notStarted(err) {
		eventlog.NotStarted(fmt.Sprintf("exit code %d", code), err).Log(log)
	}
	return code
}
