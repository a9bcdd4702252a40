package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// Descriptor is the security descriptor of both pipes: owner Administrators,
// full access for SYSTEM and Administrators, nobody else, nothing inherited.
const Descriptor = "O:BAG:SYD:P(A;;GA;;;SY)(A;;GA;;;BA)"

// listen creates the pipe. go-winio creates its first instance exclusively, so
// that nobody else can stand at the same name, and refuses remote clients. It
// keeps that instance, so that the name is there until the listener is closed.
func checkGroup(string) error { return errors.New("groups are for Linux") }

func listen(path string, cfg Config) (transport, error) {
	ln, err := winio.ListenPipe(path, &winio.PipeConfig{
		SecurityDescriptor: Descriptor,
		InputBufferSize:    bufferSize,
		OutputBufferSize:   bufferSize,
	})
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED),
		errors.Is(err, windows.ERROR_ALREADY_EXISTS),
		errors.Is(err, windows.ERROR_FILE_EXISTS),
		errors.Is(err, windows.ERROR_PIPE_BUSY):
		// The name is taken. Access denied means the same: the rights of an
		// existing pipe are checked before its exclusiveness.
		if cfg.again {
			return transport{}, ErrInUse
		}
		return transport{}, fmt.Errorf("%w by %s: stop that one, or give this one another endpoint suffix", ErrInUse, holder(path))
	case errors.Is(err, windows.ERROR_INVALID_OWNER), errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD):
		return transport{}, fmt.Errorf("%w: the pipe is to belong to Administrators: run as administrator", ErrPermission)
	case err != nil:
		return transport{}, err
	}
	occupyPlaceholder(path)
	return transport{
		Listener: newLobby(ln),
		identify: newAccounts().identify,
		release:  func() error { return nil },
	}, nil
}

// occupyPlaceholder takes the instance that go-winio creates to own the name
// and never serves. Windows has that instance refuse clients, and this open
// fails harmlessly; Wine would let the first client connect to it and hang.
func occupyPlaceholder(path string) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING,
		windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
	if err == nil {
		_ = windows.CloseHandle(h)
	}
}

// holder says who serves the pipe, as far as it lets us ask.
func holder(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := winio.DialPipeAccessImpLevel(ctx, path, windows.GENERIC_READ, winio.PipeImpLevelAnonymous)
	if err != nil {
		return "another process"
	}
	defer c.Close()
	var pid uint32
	if err := windows.GetNamedPipeServerProcessId(pipeHandle(c), &pid); err != nil {
		return "another process"
	}
	if program := newAccounts().describe(pid).Program; program != "" {
		return fmt.Sprintf("pid %d (%s)", pid, program)
	}
	return fmt.Sprintf("pid %d", pid)
}

// pipeHandle is the handle under a go-winio connection, which exports it by
// this method alone.
func pipeHandle(c net.Conn) windows.Handle {
	if f, ok := c.(interface{ Fd() uintptr }); ok {
		return windows.Handle(f.Fd())
	}
	return windows.InvalidHandle
}
