package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/packetcache/packetcache/internal/daemon"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
)

func TestExitCodes(t *testing.T) {
	failed := errors.New("it failed")
	at := func(s daemon.Step, err error) error {
		return fmt.Errorf("daemon: %w", &daemon.StartError{Step: s, Err: err})
	}
	for _, test := range []struct {
		err     error
		process int
		service service.ExitCode
	}{
		{nil, exitOK, service.ExitOK},
		{failed, exitFailed, service.ExitFailed},
		{usageError{failed}, exitUsage, service.ExitArguments},
		{usageError{stepError{service.ExitRAM, failed}}, exitUsage, service.ExitRAM},
		{stepError{service.ExitRAM, failed}, exitFailed, service.ExitRAM},
		{at(daemon.StepReplay, fs.ErrNotExist), exitFailed, service.ExitReplay},
		{at(daemon.StepCapture, fs.ErrPermission), exitNotPermitted, service.ExitCapture},
		{at(daemon.StepMemory, failed), exitFailed, service.ExitMemory},
		{at(daemon.StepFilter, failed), exitFailed, service.ExitFilter},
		{at(daemon.StepDump, ipc.ErrInUse), exitFailed, service.ExitDump},
		{at(daemon.StepControl, ipc.ErrPermission), exitNotPermitted, service.ExitControl},
	} {
		if got := exit(io.Discard, test.err); got != test.process {
			t.Errorf("%v: the process ends with %d, want %d", test.err, got, test.process)
		}
		if got := serviceCode(test.err); got != test.service {
			t.Errorf("%v: the service ends with %d, want %d", test.err, got, test.service)
		}
	}
}
