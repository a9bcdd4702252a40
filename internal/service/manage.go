package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/packetcache/packetcache/internal/guard"
)

// What Windows shows of the service, whoever registers it.
const (
	DisplayName = "PacketCache"
	Description = "Keeps the recent network traffic of this machine in a small share of its memory, for administrators to read with pcctl."
)

// The reasons why Control fails that callers tell apart.
var (
	// ErrNotInstalled means that no such service is registered.
	ErrNotInstalled = errors.New("the service is not installed")
	// ErrPermission means that only an administrator may do this.
	ErrPermission = errors.New("not permitted")
	// ErrExposed means that others than administrators could replace the
	// program, and so do on the machine what they want.
	ErrExposed = errors.New("others than administrators could have the service run a program of theirs")
	// ErrNoManager means that the system has no service manager that could do it.
	ErrNoManager = errors.New("systemd does not run this machine")
	// ErrForeign means that the name belongs to a service that is not this
	// PacketCache.
	ErrForeign = errors.New("another program is registered as a service under this name")
)

// An Action is what Control does to the service.
type Action string

// The actions, named like the commands of pcctl.
const (
	Install   Action = "install"
	Uninstall Action = "uninstall"
	Start     Action = "start"
	Stop      Action = "stop"
	Restart   Action = "restart"
)

// Options say what Control works on; the zero value is the service itself.
// All but Name, Progress and Report matter only to Install.
type Options struct {
	// Name is that of the service; empty means packetcache (PacketCache on
	// Windows).
	Name string
	// Binary is the path of packetcache; empty means the one in the directory
	// of this program.
	Binary string
	// SocketGroup is the setting socket-group. Installing makes the service a
	// member, so that it may hand its sockets to the group without a
	// capability for that.
	SocketGroup string
	// DataDir is the setting data-dir where that is not the usual one. On Linux
	// it is made if need be, since the unit does not let the service do so, and
	// has to be safe from other users.
	DataDir string
	// WritablePaths are other directories outside of the usual ones that the
	// service has to write to.
	WritablePaths []string
	// Force installs a program that ErrExposed would be said of.
	Force bool
	// Progress, if not nil, is told about once a second for how long Control
	// has waited for the service to start or stop. systemd waits by itself.
	Progress func(waited time.Duration)
	// Report, if not nil, is told what Control found, before that returns
	// without an error.
	Report func(Outcome)
}

// An Outcome is what there is to say of something that was done.
type Outcome struct {
	// Running means that Install found the service running, which goes on as
	// it was registered when it was started.
	Running bool
	// Arguments are those of an earlier registration, which Install has kept.
	Arguments string
	// Writers are the accounts, besides administrators, that can replace the
	// program that was installed all the same.
	Writers []guard.Writer
	// Ended says how the service ended when Restart or Uninstall stopped it, if
	// that was not in order.
	Ended error
}

func (o Options) report(found Outcome) {
	if o.Report != nil {
		o.Report(found)
	}
}

// binary finds the program to install and makes sure that it is one.
func (o Options) binary() (string, error) {
	path := o.Binary
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("where this program lies cannot be told (give --binary): %w", err)
		}
		if self, err = filepath.EvalSymlinks(self); err != nil {
			return "", fmt.Errorf("where this program lies cannot be told (give --binary): %w", err)
		}
		path = filepath.Join(filepath.Dir(self), "packetcache")
		if runtime.GOOS == "windows" {
			path += ".exe"
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path of packetcache: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("packetcache is not there (give --binary): %w", err)
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return "", fmt.Errorf("%s is not a program (give --binary)", path)
	}
	return path, nil
}
