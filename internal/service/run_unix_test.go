//go:build unix

package service

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	logrustest "github.com/sirupsen/logrus/hooks/test"
)

// fakeSystemd listens where systemd would, until the test ends.
func fakeSystemd(t *testing.T) (socket string, next func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket, func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		message := make([]byte, 4096)
		n, err := conn.Read(message)
		if err != nil {
			t.Fatalf("no message to systemd: %v", err)
		}
		return string(message[:n])
	}
}

func TestRunUntilSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			socket, next := fakeSystemd(t)
			t.Setenv("NOTIFY_SOCKET", socket)
			if !Managed() {
				t.Error("Managed() is false with a socket of systemd")
			}
			var ended bool
			err := Run(quiet(), func(ctx context.Context, ready func()) error {
				ready()
				ready()
				if got := next(); got != "READY=1" {
					t.Errorf("systemd was told %q, want READY=1", got)
				}
				if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
					t.Error(err)
				}
				<-ctx.Done()
				if got := next(); got != "STOPPING=1" {
					t.Errorf("systemd was told %q, want STOPPING=1", got)
				}
				ended = true
				return nil
			})
			if err != nil || !ended {
				t.Errorf("Run: %v, ended %v", err, ended)
			}
		})
	}
}

func TestRunFails(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	want := errors.New("no permission to capture")
	if err := Run(quiet(), func(context.Context, func()) error { return want }); !errors.Is(err, want) {
		t.Errorf("Run: %v, want %v", err, want)
	}
}

func TestRunEndsByItself(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	err := Run(quiet(), func(_ context.Context, ready func()) error {
		ready()
		return nil
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

// A service whose word does not reach systemd would be killed at the end of
// the start timeout: it stops instead and says why.
func TestRunWithoutListener(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	err := Run(quiet(), func(ctx context.Context, ready func()) error {
		ready()
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Error("not told to stop")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "NOTIFY_SOCKET") {
		t.Errorf("Run: %v, want an error about NOTIFY_SOCKET", err)
	}
}

func TestNotManaged(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("SYSTEMD_EXEC_PID", "1") // that of another process
	if Managed() {
		t.Error("Managed() is true in a test")
	}
}

// A daemon that does not return is left behind, and the log shows where it
// hangs.
func TestRunHangs(t *testing.T) {
	c := quiet()
	hook := logrustest.NewLocal(c.Log)
	stuck := make(chan struct{})
	defer close(stuck)
	silent := listener{ready: func() error { return nil }, stopping: func() {}}
	limit := func(os.Signal) time.Duration { return 80 * time.Millisecond }
	begun := time.Now()
	err := attend(c, func(_ context.Context, ready func()) error {
		ready()
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		hangHere(stuck)
		return nil
	}, []os.Signal{syscall.SIGTERM}, limit, silent)
	if !errors.Is(err, ErrHung) || time.Since(begun) < limit(nil) {
		t.Errorf("after %v: %v, want %v", time.Since(begun), err, ErrHung)
	}
	if stacks := loggedStacks(hook); !strings.Contains(stacks, "hangHere") {
		t.Errorf("the log does not show where it hangs:\n%s", stacks)
	}
}

// The daemon knows by when it has to be gone.
func TestStopBy(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	err := Run(quiet(), func(ctx context.Context, _ func()) error {
		if left := time.Until(StopBy(ctx)); left < stopLimit-time.Second || left > stopLimit {
			t.Errorf("%v are left to one that nobody stops", left)
		}
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-ctx.Done()
		if left := time.Until(StopBy(ctx)); left < stopLimit-10*time.Second || left > stopLimit {
			t.Errorf("%v are left to stop", left)
		}
		if why := context.Cause(ctx).Error(); !strings.Contains(why, "terminated") {
			t.Errorf("it is told to stop because of %q", why)
		}
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		if !StopBy(child).Equal(StopBy(ctx)) {
			t.Error("a context made of it knows another time")
		}
		return nil
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}
