package service

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/crash"
	"github.com/packetcache/packetcache/internal/guard"
)

const configSize = int(unsafe.Sizeof(windows.QUERY_SERVICE_CONFIG{}))

// install registers the service or sets its registration right.
func install(manager *mgr.Mgr, o Options) error {
	binary, err := o.binary()
	if err != nil {
		return err
	}
	var found Outcome
	if found.Writers, err = writers(o, binary); err != nil {
		return err
	}
	r, err := open(manager, o.Name)
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		r.Service, err = manager.CreateService(o.Name, binary, mgr.Config{
			StartType:    mgr.StartAutomatic,
			ErrorControl: mgr.ErrorNormal,
			DisplayName:  shownName(o.Name),
		})
		if err != nil {
			return err
		}
		err = configure(r.Service)
		if err != nil {
			err = errors.Join(err, r.Delete())
		}
	case err != nil:
		return err
	default:
		if err = repoint(r, o.Name, binary); err == nil {
			err = configure(r.Service)
		}
		_, arguments := splitCommandLine(r.commandLine)
		found.Arguments = strings.TrimSpace(arguments)
		if status, err := state(r); err == nil {
			found.Running = status.CurrentState != windows.SERVICE_STOPPED
		}
	}
	r.Close()
	if err != nil {
		return err
	}
	// The source is called like the service, as is the custom.
	if err := eventlog.Register(o.Name, filepath.Join(filepath.Dir(binary), eventlog.DLL)); err != nil {
		return err
	}
	if err := crash.Exclude(filepath.Base(binary)); err != nil {
		return err
	}
	o.report(found)
	return nil
}

// writers lists who besides administrators can replace the program. It runs as
// LocalSystem, so whoever can owns the machine; that is refused unless it is the
// account that installs, an administrator's, or Options.Force is set.
func writers(o Options, binary string) ([]guard.Writer, error) {
	list, err := guard.ProgramWriters(binary)
	if o.Force {
		return list, nil // it was asked for, whoever they are
	}
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		if !w.Own {
			return nil, fmt.Errorf("%w: %v", ErrExposed, w)
		}
	}
	return list, nil
}

// repoint makes a registration of ours one of binary. Its arguments are of
// whoever gave them; we give none.
func repoint(r registration, name, binary string) error {
	_, arguments := splitCommandLine(r.commandLine)
	line, err := windows.UTF16PtrFromString(windows.EscapeArg(binary) + arguments)
	if err != nil {
		return fmt.Errorf("path of packetcache: %w", err)
	}
	shown, err := windows.UTF16PtrFromString(shownName(name))
	if err != nil {
		return fmt.Errorf("name of the service: %w", err)
	}
	return windows.ChangeServiceConfig(r.Handle, windows.SERVICE_WIN32_OWN_PROCESS, mgr.StartAutomatic,
		mgr.ErrorNormal, line, nil, nil, nil, nil, nil, shown)
}

// shownName is what the Services console shows.
func shownName(name string) string {
	if name == defaultName {
		return DisplayName
	}
	return name
}

// uninstall stops the service, removes its registration, and waits until that
// is gone: the service control manager keeps it while somebody has it open.
func uninstall(manager *mgr.Mgr, r registration, o Options) error {
	var found Outcome
	var err error
	if found.Ended, err = stopFirst(r, o); err != nil {
		return fmt.Errorf("stopping it first: %w", err)
	}
	// What somebody has deleted already goes when nobody has it open any more.
	if err := r.Delete(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
		return err
	}
	r.Close()
	if err := eventlog.Unregister(o.Name); err != nil {
		return err
	}
	program, _ := splitCommandLine(r.commandLine)
	if err := crash.Include(filepath.Base(program)); err != nil {
		return err
	}
	for deadline := time.Now().Add(removePatience); ; time.Sleep(pollEvery) {
		service, err := manager.OpenService(o.Name)
		if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
			o.report(found)
			return nil
		}
		if err == nil {
			service.Close()
		}
		if time.Now().After(deadline) {
			return windows.ERROR_SERVICE_MARKED_FOR_DELETE
		}
	}
}
