package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects to an endpoint. dir is as in Config. The error is
// ErrNotRunning when nothing listens there, ErrPermission when this user may
// not connect.
func Dial(ctx context.Context, e Endpoint, dir string) (net.Conn, error) {
	path, err := Address(e, dir)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	for {
		c, err := d.DialContext(ctx, "unix", path)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, unix.EAGAIN):
			// So many wait to be accepted that the kernel takes no more.
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("connect to %s: busy: %w", path, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("connect to %s: %w", path, ErrPermission)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOTDIR):
			return nil, fmt.Errorf("connect to %s: %w", path, ErrNotRunning)
		default:
			return nil, fmt.Errorf("connect to %s: %w", path, err)
		}
	}
}
