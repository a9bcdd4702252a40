package pcctl

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// A screen is a terminal that a test reads.
type screen struct {
	tty *os.File
	mu  sync.Mutex
	out bytes.Buffer
}

// newScreen makes a pseudo-terminal (pty(7)).
func newScreen(t *testing.T, columns, rows uint16) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
	s := &screen{tty: tty}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.out.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// shows waits until the terminal has been sent text.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	if err := eventually(fmt.Sprintf("the terminal shows %q", text), func() bool { return strings.Contains(s.String(), text) }); err != nil {
		t.Fatalf("%v in\n%q", err, s.String())
	}
}

func TestWatchOnANarrowTerminal(t *testing.T) {
	const columns, rows = 30, 8
	fake := &fakeService{status: control.Status{
		Version: "1.2.3", Host: "host-with-a-name-that-is-far-too-long-for-it",
		Interfaces: make([]control.Interface, 20),
	}}
	dir := start(t, fake)
	s := newScreen(t, columns, rows)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() { done <- run(ctx, []string{"pcctl", "status", "--watch", "--endpoint-dir", dir}, s.tty, s.tty) }()
	if err := eventually("two frames", func() bool { return strings.Count(s.String(), clearBelow) >= 2 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
	s.shows(t, showCursor)
	if strings.Count(s.String(), clearAll) != 1 {
		t.Error("the screen is cleared again and again, it will flicker")
	}
	for _, frame := range strings.Split(s.String(), home)[1:] {
		frame, _, _ = strings.Cut(frame, clearBelow)
		lines := strings.Split(frame, "\r\n")
		if len(lines) > rows {
			t.Errorf("%d lines on a terminal of %d", len(lines), rows)
		}
		for _, line := range lines {
			if line = strings.TrimSuffix(line, clearLine); len([]rune(line)) >= columns {
				t.Errorf("%q is too wide", line)
			}
		}
	}
}

func TestWatchOutlivesTheService(t *testing.T) {
	fake := &fakeService{status: control.Status{Version: "1.2.3"}}
	dir := t.TempDir()
	stop, err := fake.serve(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newScreen(t, 80, 24)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan int)
	go func() { done <- run(ctx, []string{"pcctl", "status", "--watch", "--endpoint-dir", dir}, s.tty, s.tty) }()
	s.shows(t, "PacketCache 1.2.3")
	stop()
	s.shows(t, "Not reachable")
	fake = &fakeService{status: control.Status{Version: "1.2.4"}}
	if stop, err = fake.serve(dir); err != nil {
		t.Fatal(err)
	}
	defer stop()
	s.shows(t, "PacketCache 1.2.4")
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// slowDump is a service whose dump takes long enough for a progress bar.
type slowDump struct {
	fakeService
	seen func() bool
}

func (s *slowDump) Dump(ctx context.Context, _ control.DumpRequest, _ ipc.Peer, w control.DumpWriter) (control.DumpResult, error) {
	w.Estimate(100 << 10)
	for !s.seen() && ctx.Err() == nil {
		if _, err := w.Write(make([]byte, 1024)); err != nil {
			return control.DumpResult{}, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return control.DumpResult{Packets: 3}, ctx.Err()
}

func TestDumpOnATerminal(t *testing.T) {
	s := newScreen(t, 80, 24)
	dir := t.TempDir()
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	server := control.NewServer(&slowDump{seen: func() bool { return strings.Contains(s.String(), "reading") }}, nil)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })

	t.Chdir(t.TempDir())
	code := run(t.Context(), []string{"pcctl", "dump", "--endpoint-dir", dir}, s.tty, s.tty)
	s.shows(t, "Open it with: wireshark")
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	files, err := os.ReadDir(".")
	if err != nil || len(files) != 1 || !strings.HasPrefix(files[0].Name(), strings.TrimLeft(hostname(), "-.")[:1]) || !strings.HasSuffix(files[0].Name(), ".pcap") {
		t.Errorf("files %v, %v, want one HOST_yymmdd_hhmm.pcap", files, err)
	}
	for _, want := range []string{"%", "KiB"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("the bar shows no %q: %q", want, s.String())
		}
	}
}

func TestNoCaptureOntoATerminal(t *testing.T) {
	dir := start(t, &fakeService{})
	s := newScreen(t, 80, 24)
	if code := run(t.Context(), []string{"pcctl", "dump", "-w", "-", "--endpoint-dir", dir}, s.tty, s.tty); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	s.shows(t, "would only garble the terminal")
	if strings.Contains(s.String(), "format=") {
		t.Error("the capture went to the terminal")
	}
}
