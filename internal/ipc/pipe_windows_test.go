package ipc

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// open opens a pipe as a program that knows nothing of us does.
func open(t *testing.T, path string, access uint32) (windows.Handle, error) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	return windows.CreateFile(name, access, 0, nil, windows.OPEN_EXISTING, 0, 0)
}

// readPipe reads 4096 bytes at a time until the end, and returns the error
// that tells it.
func readPipe(h windows.Handle) (data []byte, err error) {
	buf := make([]byte, 4096)
	for {
		var n uint32
		if err := windows.ReadFile(h, buf, &n, nil); err != nil {
			return data, err
		}
		data = append(data, buf[:n]...)
	}
}

// Clients find the name at all times and the pipe busy for moments only, one
// after the other and however long the service takes to accept them.
func TestPipeIsAlwaysThere(t *testing.T) {
	ln := served(t, Dump, Config{Dir: testDir(t)})
	path := ln.Addr().String()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "x")
			_ = c.Close()
		}
	}()
	var longest time.Duration
	for n := range 200 {
		begun := time.Now()
		h, err := open(t, path, windows.GENERIC_READ)
		for errors.Is(err, windows.ERROR_PIPE_BUSY) {
			if longest = max(longest, time.Since(begun)); longest > 5*time.Second {
				t.Fatalf("the pipe is busy for %v", longest)
			}
			h, err = open(t, path, windows.GENERIC_READ)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 { // the others leave at once
			if data, err := readPipe(h); string(data) != "x" || !errors.Is(err, windows.ERROR_BROKEN_PIPE) {
				t.Fatalf("read %q, %v", data, err)
			}
		}
		_ = windows.CloseHandle(h)
	}
	t.Logf("busy for at most %v", longest)
}

// Clients get in while the service accepts nobody.
func TestLobby(t *testing.T) {
	ln := served(t, Dump, Config{Dir: testDir(t)})
	var clients []windows.Handle
	for range lobbySize {
		h := eventuallyOpen(t, ln.Addr().String())
		defer func() { _ = windows.CloseHandle(h) }()
		clients = append(clients, h)
	}
	for range clients {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	for _, h := range clients {
		if data, err := readPipe(h); string(data) != "x" || !errors.Is(err, windows.ERROR_BROKEN_PIPE) {
			t.Errorf("read %q, %v", data, err)
		}
	}
	// Those who still wait when it closes see an end.
	h := eventuallyOpen(t, ln.Addr().String())
	defer func() { _ = windows.CloseHandle(h) }()
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if data, err := readPipe(h); len(data) > 0 || err == nil {
		t.Errorf("read %q, %v", data, err)
	}
}

// eventuallyOpen opens a pipe that is there.
func eventuallyOpen(t *testing.T, path string) windows.Handle {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		h, err := open(t, path, windows.GENERIC_READ)
		if err == nil {
			return h
		}
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// What was written before the close is read after it, and the close waits for
// no reader. (DisconnectNamedPipe would discard what was not read yet.)
func TestLastBytes(t *testing.T) {
	ln := served(t, Dump, Config{Dir: testDir(t)})
	h := eventuallyOpen(t, ln.Addr().String())
	defer func() { _ = windows.CloseHandle(h) }()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("PacketCache "), 500<<10/12)
	if err := c.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write(want); err != nil {
		t.Fatalf("%d bytes fit the pipe: %v", n, err)
	}
	begun := time.Now()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the close took %v", took)
	}
	if got, err := readPipe(h); !bytes.Equal(got, want) || !errors.Is(err, windows.ERROR_BROKEN_PIPE) {
		t.Errorf("%d bytes came of %d, then %v", len(got), len(want), err)
	}
}

// A write to a client that never reads ends with its deadline, and the
// connection can be closed while one is under way.
func TestWriteToNobody(t *testing.T) {
	ln := served(t, Dump, Config{Dir: testDir(t)})
	h := eventuallyOpen(t, ln.Addr().String())
	defer func() { _ = windows.CloseHandle(h) }()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, 4<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() {
		_, err := c.Write(make([]byte, 4<<20))
		written <- err
	}()
	_ = c.Close()
	if err := <-written; err == nil {
		t.Error("4 MiB went to nobody")
	}
}

// While we have the name nobody else can stand at it, and while another has
// it, whoever that is, we wait.
func TestSquatting(t *testing.T) {
	dir := testDir(t)
	path, err := Address(Dump, dir)
	if err != nil {
		t.Fatal(err)
	}
	squatter, err := winio.ListenPipe(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(Dump, Config{Dir: dir}); !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v, want ErrInUse", err)
	}
	told := make(chan error, 1)
	w := Await(Dump, Config{Dir: dir}, func(err error) { told <- err })
	defer w.Close()
	accepted := make(chan error, 1)
	go func() {
		c, err := w.Accept()
		if err == nil {
			_, _ = io.WriteString(c, "ours")
			_ = c.Close()
		}
		accepted <- err
	}()
	if err := squatter.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	c := dial(t, Dump, dir)
	if got, err := io.ReadAll(c); string(got) != "ours" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
	if ln, err := winio.ListenPipe(path, nil); err == nil {
		_ = ln.Close()
		t.Error("another could stand at our name")
	}
}

// A waiter that is closed ends its Accept.
func TestCloseWaiter(t *testing.T) {
	dir := testDir(t)
	served(t, Dump, Config{Dir: dir})
	w := Await(Dump, Config{Dir: dir}, func(err error) { t.Errorf("told %v", err) })
	ended := make(chan error)
	go func() {
		_, err := w.Accept()
		ended <- err
	}()
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

// What is wrong for a moment with making an instance does not end the
// listener, and is not asked for again before somebody has heard of it.
func TestLobbyFailures(t *testing.T) {
	ln := &failing{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l := newLobby(ln)
	for range 3 {
		_, err := l.Accept()
		var ne net.Error
		if !errors.Is(err, windows.ERROR_NO_SYSTEM_RESOURCES) || !errors.As(err, &ne) || !ne.Temporary() { //nolint:staticcheck // net/http asks it
			t.Fatalf("got %v, want one that passes", err)
		}
	}
	ours, theirs := net.Pipe()
	ln.conns <- theirs
	for {
		c, err := l.Accept()
		if err != nil {
			continue // those that were under way
		}
		_ = c.Close()
		break
	}
	_ = ours.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A failing listener has no resources unless it has a connection.
type failing struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	default:
		return nil, windows.ERROR_NO_SYSTEM_RESOURCES
	}
}

func (f *failing) Close() error   { close(f.closed); return nil }
func (f *failing) Addr() net.Addr { return nil }
