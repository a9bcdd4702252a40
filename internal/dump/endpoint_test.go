package dump

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A doorman is a listener whose clients the test sends in.
type doorman struct {
	clients chan net.Conn
	failing chan error
	closing sync.Once
	closed  chan struct{}
}

func newDoorman() *doorman {
	return &doorman{clients: make(chan net.Conn), failing: make(chan error), closed: make(chan struct{})}
}

func (l *doorman) Accept() (net.Conn, error) {
	select {
	case c := <-l.clients:
		return c, nil
	case err := <-l.failing:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *doorman) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return nil
}

func (*doorman) Addr() net.Addr { return nil }

// enter connects a client.
func (l *doorman) enter() net.Conn {
	client, server := net.Pipe()
	l.clients <- server
	return client
}

// served runs Serve on a cache of one packet and returns its clients' records.
func served(t *testing.T) (l *doorman, stop context.CancelFunc, records chan Record, done chan struct{}) {
	t.Helper()
	c := newCache(t)
	put(c, announce(t, c, "eth0", packet.LinkTypeEthernet), second(0), ethernet)
	l, records, done = newDoorman(), make(chan Record, 10), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() {
		defer close(done)
		New(c, facts{}).Serve(ctx, l, func(r Record) { records <- r })
	}()
	return l, stop, records, done
}

const oneFile = 24 + 16 + len(ethernet)

func TestEndpoint(t *testing.T) {
	l, stop, records, done := served(t)
	for _, test := range []struct {
		name, text string
		bytes      int
		packets    uint64
		refused    bool
	}{
		{"silence", "", oneFile, 1, false},
		{"a filter", "ether proto 0x88b5\n", oneFile, 1, false},
		{"one that nothing matches", "arp", 24, 0, false},
		{"a mistake", "arp or", 0, 0, true},
		{"too much", strings.Repeat("arp or ", 2000), 0, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := l.enter()
			if test.text != "" {
				// Whatever is not read of it is the client's problem.
				_ = conn.SetWriteDeadline(time.Now().Add(patience))
				_, _ = io.WriteString(conn, test.text)
			}
			file, err := io.ReadAll(conn)
			if err != nil || len(file) != test.bytes {
				t.Errorf("%d bytes, %v, want %d", len(file), err, test.bytes)
			}
			r := <-records
			var bad *BadFilter
			if errors.As(r.Err, &bad) != test.refused || r.Result.Packets != test.packets {
				t.Errorf("the record is %+v", r)
			}
		})
	}
	stop()
	<-done
}

// An error that passes does not end the endpoint.
func TestAcceptFails(t *testing.T) {
	l, stop, records, done := served(t)
	for range 3 {
		l.failing <- &os.SyscallError{Syscall: "accept4", Err: syscall.EMFILE}
		if r := <-records; !errors.Is(r.Err, syscall.EMFILE) {
			t.Errorf("told was %v", r.Err)
		}
	}
	if file, err := io.ReadAll(l.enter()); err != nil || len(file) != oneFile {
		t.Errorf("after that %d bytes came, %v", len(file), err)
	}
	l.failing <- syscall.EMFILE
	stop() // in the pause
	<-done
}

// A listener that is closed lets those inside end; a context that is done does
// not.
func TestServeEnds(t *testing.T) {
	l, stop, records, done := served(t)
	conn := l.enter()
	header := make([]byte, 24)
	if _, err := io.ReadFull(conn, header); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	rest, err := io.ReadAll(conn)
	if err != nil || len(rest) != oneFile-24 {
		t.Errorf("after the close came %d bytes, %v", len(rest), err)
	}
	<-done
	if r := <-records; r.Err != nil {
		t.Error(r.Err)
	}
	stop()

	l, stop, records, done = served(t)
	conn = l.enter()
	if _, err := io.ReadFull(conn, header); err != nil {
		t.Fatal(err)
	}
	stop()
	<-done
	if r := <-records; r.Err == nil {
		t.Error("a dump that was cut off counts as whole")
	}
}

// A slow conn takes a byte, then reaches the deadline, and so on.
type slowConn struct {
	net.Conn
	taken     strings.Builder
	deadlines int
	stuckAt   int
}

func (c *slowConn) SetWriteDeadline(time.Time) error {
	c.deadlines++
	return nil
}

func (c *slowConn) Write(p []byte) (int, error) {
	if c.taken.Len() == c.stuckAt {
		return 0, os.ErrDeadlineExceeded
	}
	n, _ := c.taken.Write(p[:1])
	if len(p) > 1 {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

// A reader that takes something each time is not given up.
func TestPatience(t *testing.T) {
	c := &slowConn{stuckAt: -1}
	if n, err := (&patient{Conn: c}).Write([]byte("slowly")); n != 6 || err != nil || c.taken.String() != "slowly" || c.deadlines != 5 {
		t.Errorf("%d bytes, %v: %q after %d deadlines", n, err, c.taken.String(), c.deadlines)
	}
	c = &slowConn{stuckAt: 3}
	if n, err := (&patient{Conn: c}).Write([]byte("slowly")); n != 3 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("stuck: %d bytes, %v", n, err)
	}
}

// A client on a socket that writes too late reads its file to a clean end, and
// does not hold up a stop when it does not close then.
func TestLateWords(t *testing.T) {
	c := newCache(t)
	put(c, announce(t, c, "eth0", packet.LinkTypeEthernet), second(0), ethernet)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Skip("no sockets with names here: ", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		New(c, facts{}).Serve(t.Context(), ln, func(Record) {})
	}()
	conn, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for n := 0; n < oneFile; { // all but the end
		got, err := conn.Read(make([]byte, oneFile))
		if n += got; err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if _, err := io.WriteString(conn, "arp"); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
		t.Errorf("at the end %q, %v", rest, err)
	}
	begun := time.Now()
	_ = ln.Close()
	<-done
	if took := time.Since(begun); took >= lingerPatience {
		t.Errorf("the stop took %v", took)
	}
}
