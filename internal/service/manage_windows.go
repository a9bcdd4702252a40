package service

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/packetcache/packetcache/internal/crash"
)

const defaultName = "PacketCache"

// Control does the action through the service control manager.
//
// Install registers Options.Binary, which stays where it lies, to be started
// with the machine; a registration of ours is pointed to it and set right, but
// keeps its arguments. Uninstall stops the service and removes its
// registration, and leaves settings and data. Starting what runs and stopping
// what does not is no error. All but Install wait until it is done, which a
// service that was stopped is when its process has ended, so that its files
// can be replaced.
//
// A Stop after which the service has not ended in order is an error, as it is
// started again then; Restart and Uninstall go on.
//
// Uninstalling what is not registered takes back what it has set when it ran.
//
// The error wraps ErrPermission for a caller who is no administrator,
// ErrNotInstalled if there is no such service, and ErrForeign if there is one
// that is not ours, which is left alone. That of Install wraps ErrExposed if the
// program lies where others than administrators can replace it.
func Control(action Action, o Options) error {
	if o.Name == "" {
		o.Name = defaultName
	}
	return explain(action, o.Name, control(action, o))
}

func control(action Action, o Options) error {
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer manager.Disconnect() //nolint:errcheck // closes a handle
	if action == Install {
		return install(manager, o)
	}
	r, err := open(manager, o.Name)
	if action == Uninstall && errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		// The service itself puts its program there, whoever has registered it.
		err = errors.Join(err, crash.Include("packetcache.exe"))
	}
	if err != nil {
		return err
	}
	defer r.Close()
	switch action {
	case Uninstall:
		return uninstall(manager, r, o)
	case Start:
		return start(r, o)
	case Stop:
		return stop(r, o)
	case Restart:
		var found Outcome
		if found.Ended, err = stopFirst(r, o); err != nil {
			return err
		}
		if err := start(r, o); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			return err
		}
		o.report(found)
		return nil
	}
	return fmt.Errorf("%q is not something to do with a service", action)
}

// A registration is our service as the service control manager knows it.
type registration struct {
	*mgr.Service
	commandLine string
}

// open finds the registration of that name and makes sure that it is ours.
func open(manager *mgr.Mgr, name string) (registration, error) {
	service, err := manager.OpenService(name)
	if err != nil {
		return registration{}, err
	}
	r := registration{Service: service}
	if r.commandLine, err = commandLine(service.Handle); err == nil {
		program, _ := splitCommandLine(r.commandLine)
		err = checkOurs(program)
	}
	if err != nil {
		service.Close()
		return registration{}, err
	}
	return r, nil
}

// commandLine is what the service control manager starts.
func commandLine(service windows.Handle) (string, error) {
	// The most that QueryServiceConfigW needs (learn.microsoft.com).
	buf := make([]windows.QUERY_SERVICE_CONFIG, 8<<10/configSize)
	var needed uint32
	if err := windows.QueryServiceConfig(service, &buf[0], uint32(len(buf)*configSize), &needed); err != nil {
		return "", fmt.Errorf("reading the registration: %w", err)
	}
	return windows.UTF16PtrToString(buf[0].BinaryPathName), nil
}

// explain makes errors of the Windows API ours, and forgives what is done
// already.
func explain(action Action, name string, err error) error {
	switch {
	case err == nil,
		action == Start && errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING),
		action == Stop && errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
		return nil
	case errors.Is(err, ErrExposed):
		return fmt.Errorf("pcctl %s: %w", action, err)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("pcctl %s: %w: only an administrator may", action, ErrPermission)
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		return fmt.Errorf("%s: %w", name, ErrNotInstalled)
	case errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return fmt.Errorf("service %s is being removed, which something holds up: close the Services console and other tools that show it, and try again: %w", name, err)
	case errors.Is(err, windows.ERROR_SERVICE_DISABLED):
		return fmt.Errorf("service %s is disabled: \"pcctl install\" makes it start with the machine again: %w", name, err)
	}
	return fmt.Errorf("pcctl %s: service %s: %w", action, name, err)
}
