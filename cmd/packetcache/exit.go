package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"

	"github.com/packetcache/packetcache/internal/daemon"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
)

// Exit codes of the process, those of pcctl. The unit file does not restart a
// service that ends with exitUsage.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotPermitted = 4
)

// usageError is a mistake in the command line or the settings.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// stepError is a failure before the daemon was there.
type stepError struct {
	code service.ExitCode
	error
}

func (e stepError) Unwrap() error { return e.error }

// daemonCodes are the exit codes of what can fail in the daemon.
var daemonCodes = map[daemon.Step]service.ExitCode{
	daemon.StepReplay:  service.ExitReplay,
	daemon.StepCapture: service.ExitCapture,
	daemon.StepMemory:  service.ExitMemory,
	daemon.StepFilter:  service.ExitFilter,
	daemon.StepDump:    service.ExitDump,
	daemon.StepControl: service.ExitControl,
}

// serviceCode is the exit code that the Windows service manager shows.
func serviceCode(err error) service.ExitCode {
	var step stepError
	var start *daemon.StartError
	var usage usageError
	switch {
	case err == nil:
		return service.ExitOK
	case errors.As(err, &step):
		return step.code
	case errors.As(err, &start):
		return daemonCodes[start.Step]
	case errors.As(err, &usage):
		return service.ExitArguments
	}
	return service.ExitFailed
}

// notStarted reports whether the log has to be told of an error as one that
// kept the service from starting. On Windows, who talks to the service manager
// has told it.
func notStarted(err error) bool {
	return runtime.GOOS != "windows" && serviceCode(err) > service.ExitFailed
}

// exit prints an error and chooses the exit code.
func exit(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(w, "packetcache: %v\n", err)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(w, "\"packetcache --help\" lists the options.")
		return exitUsage
	case errors.Is(err, ipc.ErrInUse):
		fmt.Fprintln(w, "Another endpoint directory is chosen with --endpoint-dir DIR.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, ipc.ErrPermission):
		return exitNotPermitted
	}
	return exitFailed
}
