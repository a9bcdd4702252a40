package service

import (
	"errors"
	"fmt"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

const defaultName = "PacketCache"

// Control does the action through the service control manager.
//
// Install registers Options.Binary, which stays where it lies, to be started
// with the machine; a service that is registered already is pointed to it.
// Uninstall stops the service and removes its registration, and leaves
// settings and data. Starting what runs and stopping what does not is no
// error. The error wraps ErrPermission for a caller who is no administrator,
// and ErrNotInstalled if there is no such service.
func Control(action Action, o Options) error {
	if o.Name == "" {
		o.Name = defaultName
	}
	return explain(action, o.Name, control(action, o))
}

func control(action Action, o Options) error {
	config := kardianos.Config{
		Name:        o.Name,
		DisplayName: o.Name,
		Description: "Keeps the recent network traffic of this machine in memory.",
		Option: kardianos.KeyValue{
			kardianos.OnFailure:              kardianos.OnFailureRestart,
			kardianos.OnFailureDelayDuration: "5s",
		},
	}
	if action == Install {
		binary, err := o.binary()
		if err != nil {
			return err
		}
		config.Executable = binary
	}
	service, err := kardianos.New(nil, &config)
	if err != nil {
		return err
	}
	_, statusErr := service.Status()
	switch action {
	case Install:
		if statusErr == nil {
			return repoint(o.Name, config.Executable)
		}
		return service.Install()
	case Uninstall:
		if statusErr != nil {
			return statusErr
		}
		if err := service.Stop(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return err
		}
		return service.Uninstall()
	case Start:
		return service.Start()
	case Stop:
		return service.Stop()
	case Restart:
		if err := service.Stop(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return err
		}
		return service.Start()
	}
	return fmt.Errorf("%q is not something to do with a service", action)
}

// repoint changes the program of a registered service.
func repoint(name, binary string) error {
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer manager.Disconnect() //nolint:errcheck // closes a handle
	service, err := manager.OpenService(name)
	if err != nil {
		return err
	}
	defer service.Close()
	config, err := service.Config()
	if err != nil {
		return err
	}
	config.BinaryPathName = windows.EscapeArg(binary)
	return service.UpdateConfig(config)
}

// explain makes errors of the Windows API ours, and forgives what is done
// already.
func explain(action Action, name string, err error) error {
	switch {
	case err == nil,
		action == Start && errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING),
		action == Stop && errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
		return nil
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("pcctl %s: %w: only an administrator may; open an elevated prompt", action, ErrPermission)
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST), errors.Is(err, kardianos.ErrNotInstalled):
		return fmt.Errorf("%s: %w", name, ErrNotInstalled)
	}
	return fmt.Errorf("pcctl %s: service %s: %w", action, name, err)
}
