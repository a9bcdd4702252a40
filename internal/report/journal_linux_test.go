package report

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
)

// listen makes a socket as journald has it.
func listen(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	daemon := listen(t, path)
	var stderr bytes.Buffer
	j := &journal{socket: path, fallback: &stderr}
	for _, test := range []struct {
		report func() error
		want   string
	}{
		{
			func() error {
				return j.Event(eventlog.CaptureFailed("eth0", errors.Join(errors.New("busy"), errors.New("no such device"))))
			},
			"MESSAGE=Capture failed on eth0: busy; no such device. It is tried again.\nPRIORITY=3\nSYSLOG_IDENTIFIER=packetcache\n" +
				"PACKETCACHE_EVENT=1103\nPACKETCACHE_NAME=CaptureFailed\nPACKETCACHE_CATEGORY=Capture\n" +
				"PACKETCACHE_INTERFACE=eth0\nPACKETCACHE_ERROR=busy; no such device\n",
		},
		{
			// What is empty has no field.
			func() error { return j.Event(eventlog.AccessRefused("root", "")) },
			"MESSAGE=Access refused to root, -.\nPRIORITY=4\nSYSLOG_IDENTIFIER=packetcache\n" +
				"PACKETCACHE_EVENT=1204\nPACKETCACHE_NAME=AccessRefused\nPACKETCACHE_CATEGORY=Access\nPACKETCACHE_USER=root\n",
		},
		{
			func() error { return j.Plain(logrus.InfoLevel, "two\nlines") },
			"MESSAGE\n\x09\x00\x00\x00\x00\x00\x00\x00two\nlines\nPRIORITY=6\nSYSLOG_IDENTIFIER=packetcache\n",
		},
		{
			func() error { return j.Plain(logrus.DebugLevel, "detail") },
			"MESSAGE=detail\nPRIORITY=7\nSYSLOG_IDENTIFIER=packetcache\n",
		},
	} {
		if err := test.report(); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, daemon); got != test.want {
			t.Errorf("got\n%q\nwant\n%q", got, test.want)
		}
	}
	if stderr.Len() > 0 {
		t.Errorf("on standard error: %s", &stderr)
	}
}

// A journal that restarts is found again; while there is none, lines go to
// standard error.
func TestJournalRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	daemon := listen(t, path)
	var stderr bytes.Buffer
	j := &journal{socket: path, fallback: &stderr}
	say := func(text string) {
		t.Helper()
		if err := j.Plain(logrus.InfoLevel, text); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	receive(t, daemon)
	daemon.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	say("two")
	if err := j.Event(eventlog.InterfaceMissing("eth0")); err != nil {
		t.Fatal(err)
	}
	const want = "<6>two\n<4>The interface eth0 is asked for and not there; it is waited for. (event 1104)\n"
	if stderr.String() != want {
		t.Errorf("on standard error %q, want %q", stderr.String(), want)
	}
	daemon = listen(t, path)
	say("three")
	if got := receive(t, daemon); got[:len("MESSAGE=three\n")] != "MESSAGE=three\n" {
		t.Errorf("after the restart came %q", got)
	}
	j.conn.Close()
	j.conn, j.socket, j.fallback = nil, path+"-none", failing{}
	if err := j.Plain(logrus.InfoLevel, "nowhere"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("without any way out: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestNoJournal(t *testing.T) {
	for _, stream := range []string{"", "1:2", "nonsense"} {
		t.Setenv("JOURNAL_STREAM", stream)
		if _, err := OpenSystem(); !errors.Is(err, ErrNone) {
			t.Errorf("JOURNAL_STREAM=%q: %v", stream, err)
		}
	}
}
