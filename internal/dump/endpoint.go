package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/ipc"
)

const (
	// filterPatience is how long a client may take to begin its filter text;
	// without one the header goes out then.
	filterPatience = 250 * time.Millisecond
	// restPatience is how long after some of the text the rest may follow.
	restPatience = 30 * time.Millisecond
	// lingerPatience is how long a client may take to close when it has all.
	lingerPatience = 5 * time.Second
	// maxFilter is the longest filter text taken, in bytes.
	maxFilter = 8 << 10
	// lookForGone is how often it is looked whether one that has ended what it
	// sends still wants to read.
	lookForGone = time.Second
	// minPause and maxPause bound the time before another try to accept.
	minPause, maxPause = 5 * time.Millisecond, time.Second
)

// A Record is how one client of the endpoint was served.
type Record struct {
	Peer   ipc.Peer
	Filter string
	Result Result
	// Err is why it did not get a whole file: a *BadFilter, ErrStalled,
	// ErrAccept (nothing else is known then), or what happened to the
	// connection.
	Err error
}

// errGone ends the dump of a client that has closed its connection.
var errGone = errors.New("the client has gone")

// ErrAccept means that a client could not be accepted. It is tried again.
var ErrAccept = errors.New("accepting a client")

// A BadFilter is a filter text that can't be used. The client gets no byte,
// so that the mistake does not look like an empty cache.
type BadFilter struct{ Err error }

// Error says what is wrong with the filter.
func (e *BadFilter) Error() string { return "filter: " + e.Err.Error() }

// Unwrap returns Err.
func (e *BadFilter) Unwrap() error { return e.Err }

// Serve sends a pcap to every client that ln accepts. When ln is closed it
// waits for those under way; when ctx is done it closes ln and cuts them off.
// Report is called for each client when it has been served.
func (d *Dumper) Serve(ctx context.Context, ln net.Listener, report func(Record)) {
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var clients sync.WaitGroup
	defer clients.Wait()
	open, closed := context.WithCancel(ctx)
	defer closed()
	pause := minPause
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			pause = minPause
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return
		default:
			// Too many open files, no memory: this passes.
			report(Record{Err: fmt.Errorf("%w: %w", ErrAccept, err)})
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, maxPause)
			continue
		}
		clients.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			report(d.client(ctx, conn))
			linger(open, conn)
		})
	}
}

// client serves one connection.
func (d *Dumper) client(ctx context.Context, conn net.Conn) Record {
	peer, _ := ipc.PeerOf(conn)
	r := Record{Peer: peer}
	text, err := readFilter(conn)
	if err != nil {
		r.Err = err
		return r
	}
	r.Filter = text
	req := Request{Query: cache.All}
	if text != "" {
		if req.Filter, err = ParseFilter(text); err != nil {
			r.Err = &BadFilter{err}
			return r
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.Err = ignoreRest(ctx, conn, func() { cancel(errGone) }); r.Err == nil {
		r.Result, r.Err = d.Dump(ctx, req, &patient{Conn: conn})
	}
	return r
}

// ignoreRest takes what a client writes when its filter is no longer waited for,
// until the connection is closed: one that waits until its words are read
// (FlushFileBuffers) would never get to read its file. It calls gone when the
// client has closed it, so that one that waited for its turn takes none.
func ignoreRest(ctx context.Context, conn net.Conn, gone func()) error {
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		for half, ok := conn.(*ipc.Conn); ok && !half.Gone(); {
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookForGone):
			}
		}
		gone()
	}()
	return nil
}

// linger ends the file and waits for the client to close, but not beyond ctx.
// What it wrote too late would, left unread, make it see a reset at the end of
// its file (unix(7)). Pipes know no such reset, and have no end but their
// closing.
func linger(ctx context.Context, conn net.Conn) {
	if known, ok := conn.(*ipc.Conn); ok {
		conn = known.Conn
	}
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if err := conn.SetReadDeadline(time.Now().Add(lingerPatience)); err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	_, _ = io.Copy(io.Discard, conn)
}

// ParseFilter makes a filter for packets of any link type out of a text.
func ParseFilter(text string) (*filter.Set, error) {
	expr, err := filter.Parse(text)
	if err != nil {
		return nil, err
	}
	return filter.NewSet(expr)
}

// readFilter reads the filter text that NetworkMiner, say, writes before it
// reads: as it is, without an end. Clients that write nothing get everything.
func readFilter(conn net.Conn) (string, error) {
	var text []byte
	buf := make([]byte, maxFilter+1)
	wait := filterPatience
	for len(text) <= maxFilter {
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return "", err
		}
		n, err := conn.Read(buf)
		text = append(text, buf[:n]...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.EOF):
			return strings.Trim(string(text), "\x00 \t\r\n"), nil
		case err != nil:
			return "", err
		}
		wait = restPatience
	}
	return "", &BadFilter{errors.New("the text is longer than 8 KiB")}
}

// A patient writer gives a slow reader its time anew with every byte it takes.
type patient struct {
	net.Conn
	cut atomic.Bool // the deadline had passed when it was set
}

// SetWriteDeadline bounds the writes that follow and the one under way. One that
// has passed ends that, however much it has written.
func (w *patient) SetWriteDeadline(t time.Time) error {
	w.cut.Store(!t.After(time.Now()))
	return w.Conn.SetWriteDeadline(t)
}

// Write writes all of p, unless the reader takes nothing at all for
// StallLimit.
func (w *patient) Write(p []byte) (n int, err error) {
	for n < len(p) {
		var some int
		some, err = w.Conn.Write(p[n:])
		n += some
		if some == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := w.Conn.SetWriteDeadline(time.Now().Add(StallLimit)); err != nil {
			return n, err
		}
		if w.cut.Load() {
			return n, err
		}
	}
	return n, nil
}
