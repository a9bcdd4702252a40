package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"time"

	kardianos "github.com/kardianos/service"

	"github.com/packetcache/packetcache/internal/guard"
)

const (
	defaultName = "packetcache"
	unitDir     = "/etc/systemd/system"
	// bootedDir exists if and only if systemd runs the machine (sd_booted(3)).
	bootedDir = "/run/systemd/system"
)

// Control does the action through systemd.
//
// Install writes and enables a unit that starts Options.Binary from where it
// lies, in place of an earlier one; it does not start it. Uninstall stops the
// service and removes the unit, and leaves settings and data. The error wraps
// ErrPermission for a caller other than root, ErrNotInstalled if there is no such
// unit, and ErrNoManager where there is no systemd.
func Control(action Action, o Options) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: only root may", ErrPermission)
	}
	if o.Name == "" {
		o.Name = defaultName
	}
	u := unit{name: o.Name, path: unitDir + "/" + o.Name + ".service"}
	if _, err := exec.LookPath("systemctl"); err != nil {
		return fmt.Errorf("%w: there is no systemctl", ErrNoManager)
	}
	switch action {
	case Install:
		return u.install(o)
	case Uninstall:
		return u.uninstall()
	case Start:
		return u.do(action, kardianos.Service.Start)
	case Stop:
		return u.do(action, kardianos.Service.Stop)
	case Restart:
		return u.do(action, kardianos.Service.Restart)
	}
	return fmt.Errorf("%q is not something to do with a service", action)
}

// A unit is the service's unit file and systemd's knowledge of it.
type unit struct {
	name string
	path string
}

// service makes the object of kardianos/service for the unit. The system is
// chosen here and not by that package's guess, which takes a machine where it
// does not see systemd at work for one with SysV scripts.
func (u unit) service(config kardianos.Config) (kardianos.Service, error) {
	config.Name = u.name
	for _, system := range kardianos.AvailableSystems() {
		if system.String() == "linux-systemd" {
			return system.New(nil, &config)
		}
	}
	return nil, errors.New("this build knows no systemd")
}

func (u unit) install(o Options) error {
	binary, err := o.binary()
	if err != nil {
		return err
	}
	if o.SocketGroup != "" {
		// systemd would refuse to start the unit, and say so in its log only.
		if _, err := user.LookupGroup(o.SocketGroup); err != nil {
			return fmt.Errorf("socket-group: %w; create it (groupadd) or name another", err)
		}
	}
	text, err := render(o, binary)
	if err != nil {
		return err
	}
	if o.DataDir != "" {
		if err := guard.MakeDirectory(o.DataDir); err != nil {
			return fmt.Errorf("data-dir: %w", err)
		}
	}
	service, err := u.service(kardianos.Config{
		Executable: binary,
		Option:     kardianos.KeyValue{"SystemdScript": text},
	})
	if err != nil {
		return err
	}
	// kardianos/service refuses to replace a unit, so an earlier one goes
	// first and comes back if the new one fails.
	before, err := os.ReadFile(u.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("earlier unit: %w", err)
	}
	existed := err == nil
	found := Outcome{Running: existed && u.active()}
	if existed {
		if err := os.Remove(u.path); err != nil {
			return fmt.Errorf("earlier unit: %w", err)
		}
	}
	if err := service.Install(); err != nil {
		undo := os.Remove(u.path)
		if existed {
			undo = os.WriteFile(u.path, before, 0o644) // units are world-readable by custom
		}
		if errors.Is(undo, fs.ErrNotExist) {
			undo = nil
		}
		return errors.Join(u.explain(Install, err), undo)
	}
	o.report(found)
	return nil
}

// active reports whether systemd has the unit running; in doubt it has not.
func (u unit) active() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "systemctl", "is-active", "--quiet", u.name+".service").Run() == nil
}

func (u unit) uninstall() error {
	if _, err := os.Stat(u.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", u.path, ErrNotInstalled)
	}
	return u.do(Uninstall, func(s kardianos.Service) error {
		// Of a unit that was never loaded, systemctl says that it cannot stop it.
		if err := s.Stop(); err != nil && exitCode(err) != exitNotInstalled {
			return fmt.Errorf("stopping it first: %w", err)
		}
		return s.Uninstall()
	})
}

func (u unit) do(action Action, call func(kardianos.Service) error) error {
	service, err := u.service(kardianos.Config{})
	if err != nil {
		return err
	}
	if err := call(service); err != nil {
		return u.explain(action, err)
	}
	return nil
}

// Exit codes of systemctl (systemctl(1), "Exit status", after LSB).
const (
	exitNoPermission = 4
	exitNotInstalled = 5
)

// explain says what a failure of systemctl means: kardianos/service passes on
// its exit code and not its words.
func (u unit) explain(action Action, err error) error {
	switch exitCode(err) {
	case exitNotInstalled:
		return fmt.Errorf("%s.service: %w", u.name, ErrNotInstalled)
	case exitNoPermission:
		return fmt.Errorf("systemctl %s %s: %w", action, u.name, ErrPermission)
	}
	if _, statErr := os.Stat(bootedDir); statErr != nil {
		return fmt.Errorf("%w (no %s)", ErrNoManager, bootedDir)
	}
	return fmt.Errorf("%s %s: systemctl: %w; see systemctl status %s and journalctl -u %s", action, u.name, err, u.name, u.name)
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
