package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf16"
	"unsafe"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/crash"
	"github.com/packetcache/packetcache/internal/guard"
)

const (
	// preshutdownTimeout is how long Windows waits for the service before it
	// shuts down.
	preshutdownTimeout = 30 * time.Second
	// recoveryReset is how long the service has to run for its failures to be
	// forgotten.
	recoveryReset = 24 * time.Hour
)

// recovery is what happens after the first failure, the second, and all
// further ones.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
}

// privileges are those that the service keeps of the many of LocalSystem, both
// for locking memory: SetProcessWorkingSetSizeEx asks for them.
// SeChangeNotifyPrivilege is never taken away.
var privileges = []string{"SeIncreaseWorkingSetPrivilege", "SeIncreaseBasePriorityPrivilege"}

// A trait is a part of the registration that neither an MSI nor "sc create"
// sets.
type trait struct {
	name    string
	missing func(*mgr.Service) (bool, error)
	set     func(*mgr.Service) error
}

// traits are what a registration of ours has (learn.microsoft.com,
// "ChangeServiceConfig2W function").
func traits() []trait {
	return []trait{
		{
			"description",
			func(s *mgr.Service) (bool, error) {
				b, err := query(s, windows.SERVICE_CONFIG_DESCRIPTION)
				return err == nil && windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(b).Description) == "", err
			},
			func(s *mgr.Service) error {
				text, err := windows.UTF16PtrFromString(Description)
				if err != nil {
					return err
				}
				return change(s, windows.SERVICE_CONFIG_DESCRIPTION, unsafe.Pointer(&windows.SERVICE_DESCRIPTION{Description: text}))
			},
		}, {
			// Without them Windows may run C:\Program.exe instead.
			"quotes around the path",
			func(s *mgr.Service) (bool, error) {
				line, err := commandLine(s.Handle)
				program, _ := splitCommandLine(line)
				return strings.ContainsAny(program, " \t") && !strings.HasPrefix(line, `"`), err
			},
			func(s *mgr.Service) error {
				line, err := commandLine(s.Handle)
				if err != nil {
					return err
				}
				program, rest := splitCommandLine(line)
				quoted, err := windows.UTF16PtrFromString(windows.EscapeArg(program) + rest)
				if err != nil {
					return err
				}
				return windows.ChangeServiceConfig(s.Handle, windows.SERVICE_NO_CHANGE, windows.SERVICE_NO_CHANGE,
					windows.SERVICE_NO_CHANGE, quoted, nil, nil, nil, nil, nil, nil)
			},
		}, {
			"restart on failure",
			func(s *mgr.Service) (bool, error) {
				actions, err := s.RecoveryActions()
				return len(actions) == 0, err
			},
			func(s *mgr.Service) error {
				if err := s.SetRecoveryActions(recovery, uint32(recoveryReset.Seconds())); err != nil {
					return err
				}
				// A start that fails is reported and no crash.
				return s.SetRecoveryActionsOnNonCrashFailures(true)
			},
		}, {
			"service SID",
			func(s *mgr.Service) (bool, error) {
				b, err := query(s, windows.SERVICE_CONFIG_SERVICE_SID_INFO)
				return err == nil && *(*uint32)(b) == windows.SERVICE_SID_TYPE_NONE, err
			},
			func(s *mgr.Service) error {
				kind := uint32(windows.SERVICE_SID_TYPE_UNRESTRICTED)
				return change(s, windows.SERVICE_CONFIG_SERVICE_SID_INFO, unsafe.Pointer(&kind))
			},
		}, {
			"required privileges",
			func(s *mgr.Service) (bool, error) {
				b, err := query(s, windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO)
				return err == nil && windows.UTF16PtrToString((*requiredPrivileges)(b).list) == "", err
			},
			func(s *mgr.Service) error {
				list := utf16.Encode([]rune(strings.Join(privileges, "\x00") + "\x00\x00"))
				return change(s, windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, unsafe.Pointer(&requiredPrivileges{&list[0]}))
			},
		}, {
			"preshutdown timeout",
			func(s *mgr.Service) (bool, error) {
				b, err := query(s, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO)
				return err == nil && defaultPreshutdown(*(*uint32)(b)), err
			},
			func(s *mgr.Service) error {
				timeout := uint32(preshutdownTimeout.Milliseconds())
				return change(s, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, unsafe.Pointer(&timeout))
			},
		},
	}
}

// defaultPreshutdown reports whether nobody has chosen a preshutdown timeout, in
// ms: Windows has 10 s, and had 180 s before build 15063.
func defaultPreshutdown(timeout uint32) bool { return timeout == 10_000 || timeout == 180_000 }

// requiredPrivileges is SERVICE_REQUIRED_PRIVILEGES_INFOW: strings that each
// end with a zero, and one more zero.
type requiredPrivileges struct{ list *uint16 }

// configure sets all traits of the registration. What this Windows does not
// know stays unset.
func configure(s *mgr.Service) error {
	for _, t := range traits() {
		if err := t.set(s); err != nil && !unsupported(err) {
			return fmt.Errorf("setting the %s: %w", t.name, err)
		}
	}
	return nil
}

// settle sets the traits that the registration of the running service lacks,
// for those that were not made by pcctl install. What somebody has chosen
// stays. Privileges and SID count from the next start on.
func settle(name string, log *logrus.Logger) {
	s, err := openOwn(name)
	if err != nil {
		eventlog.RegistrationIncomplete("parts, which cannot be read", err).Log(log)
		return
	}
	defer s.Close()
	for _, t := range traits() {
		missing, err := t.missing(s)
		if err == nil && missing {
			err = t.set(s)
		}
		entry := log.WithField("what", t.name)
		switch {
		case err == nil && missing:
			entry.Info("The registration of the service was completed")
		case err != nil && unsupported(err):
			entry.WithError(err).Debug("This system does not know a part of the registration")
		case err != nil:
			eventlog.RegistrationIncomplete(t.name, err).Log(log)
		}
	}
	if self, err := os.Executable(); err == nil {
		if err := crash.Exclude(filepath.Base(self)); err != nil {
			eventlog.RegistrationIncomplete("exclusion from Windows Error Reporting", err).Log(log)
		}
	}
}

// reportWriters warns of a program that others than administrators can replace:
// it may not have been installed by pcctl, or its rights were changed since.
func reportWriters(log *logrus.Logger) {
	self, err := os.Executable()
	if err != nil {
		return // then it is nowhere that others know
	}
	list, err := guard.ProgramWriters(self)
	if err != nil {
		log.WithError(err).Info("Who can replace the program of the service cannot be told")
		return
	}
	for _, w := range list {
		if !w.Own { // LocalSystem itself
			eventlog.ProgramExposed(w.Account, w.Path).Log(log)
		}
	}
}

// openOwn opens the service that this process is, with no more rights than
// settle needs: to set restarts takes the right to start.
func openOwn(name string) (*mgr.Service, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	handle, err := windows.OpenService(manager, n, windows.SERVICE_QUERY_CONFIG|windows.SERVICE_CHANGE_CONFIG|windows.SERVICE_START)
	if err != nil {
		return nil, err
	}
	return &mgr.Service{Name: name, Handle: handle}, nil
}

// unsupported reports whether the system does not know a trait. Wine knows
// few.
func unsupported(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_LEVEL) || errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED)
}

func change(s *mgr.Service, level uint32, info unsafe.Pointer) error {
	return windows.ChangeServiceConfig2(s.Handle, level, (*byte)(info))
}

// query reads a part of the registration into memory of the garbage
// collector, aligned for pointers.
func query(s *mgr.Service, level uint32) (unsafe.Pointer, error) {
	buf := make([]uintptr, 8<<10/unsafe.Sizeof(uintptr(0))) // the most that it takes
	var needed uint32
	err := windows.QueryServiceConfig2(s.Handle, level, (*byte)(unsafe.Pointer(&buf[0])), 8<<10, &needed)
	return unsafe.Pointer(&buf[0]), err
}
