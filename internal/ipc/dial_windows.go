package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// Dial connects to an endpoint. dir is as in Config. The error is
// ErrNotRunning when nothing listens there, ErrPermission when this user may
// not connect or when the pipe belongs to someone who is neither SYSTEM nor an
// administrator: any user can create a pipe of our name while we are away, and
// would be handed the commands of an administrator.
func Dial(ctx context.Context, e Endpoint, dir string) (net.Conn, error) {
	path, err := Address(e, dir)
	if err != nil {
		return nil, err
	}
	// At Identification level the server can learn who we are but not act as
	// us.
	c, err := winio.DialPipeAccessImpLevel(ctx, path,
		windows.GENERIC_READ|windows.GENERIC_WRITE, winio.PipeImpLevelIdentification)
	switch {
	case errors.Is(err, windows.ERROR_FILE_NOT_FOUND), errors.Is(err, windows.ERROR_PATH_NOT_FOUND):
		return nil, fmt.Errorf("connect to %s: %w", path, ErrNotRunning)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, fmt.Errorf("connect to %s: %w", path, ErrPermission)
	case errors.Is(err, context.DeadlineExceeded):
		// Nothing else is waited for.
		return nil, fmt.Errorf("connect to %s: busy: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	if err := checkOwner(c); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return c, nil
}

// checkOwner refuses a pipe that an ordinary user created.
func checkOwner(c net.Conn) error {
	sd, err := windows.GetSecurityInfo(pipeHandle(c), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("%w: cannot tell whose pipe this is: %w", ErrPermission, err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("%w: cannot tell whose pipe this is: %w", ErrPermission, err)
	}
	if owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || owner.IsWellKnown(windows.WinLocalSystemSid) {
		return nil
	}
	return fmt.Errorf("%w: the pipe belongs to %s, not to SYSTEM or Administrators: another program has taken its name", ErrPermission, owner)
}
