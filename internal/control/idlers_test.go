package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

// TestIdlersAreClosed: of the connections that wait, the oldest go when there
// are too many, but none that has just come or is at work.
func TestIdlersAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i idlers
		var busy net.Conn
		var clients []net.Conn
		arrive := func(state http.ConnState) {
			here, there := net.Pipe()
			i.follow(here, http.StateNew)
			i.follow(here, state)
			clients = append(clients, there)
			if state == http.StateActive {
				busy = here
			}
		}
		closed := func(conn net.Conn) bool {
			_ = conn.SetReadDeadline(time.Now())
			_, err := conn.Read(make([]byte, 1))
			return errors.Is(err, io.EOF)
		}
		arrive(http.StateActive)
		for range maxIdle + 10 {
			arrive(http.StateIdle)
		}
		for n, conn := range clients {
			if closed(conn) {
				t.Fatalf("connection %d is closed as soon as it has come", n)
			}
		}
		time.Sleep(2 * sureIdle)
		arrive(http.StateNew)
		for n, conn := range clients {
			if got, want := closed(conn), n >= 1 && n <= 11; got != want {
				t.Errorf("connection %d: closed is %v, want %v", n, got, want)
			}
		}
		i.follow(busy, http.StateClosed)
		if len(i.list) != maxIdle {
			t.Errorf("%d connections are idle", len(i.list))
		}
	})
}

// TestIdleConnectionsDelayNobody: with many connections that say nothing, the
// status is there at once.
func TestIdleConnectionsDelayNobody(t *testing.T) {
	dir, _ := serve(t, &fakeService{})
	for range 64 {
		conn, err := ipc.Dial(t.Context(), ipc.Control, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), headerPatience/2)
	defer cancel()
	if _, err := client(t, dir).Status(ctx); err != nil {
		t.Error(err)
	}
}

// TestTooManyDumps: dumps that wait leave room for other requests.
func TestTooManyDumps(t *testing.T) {
	begun := make(chan struct{}, maxDumps)
	end := make(chan struct{})
	dir, _ := serve(t, &fakeService{dump: func(context.Context, DumpRequest, ipc.Peer, DumpWriter) (DumpResult, error) {
		begun <- struct{}{}
		<-end
		return DumpResult{}, nil
	}})
	ended := make(chan error, maxDumps)
	for range maxDumps {
		go func() {
			_, err := client(t, dir).Dump(t.Context(), DumpRequest{}, io.Discard, nil)
			ended <- err
		}()
	}
	for range maxDumps {
		<-begun
	}
	var p *Problem
	if _, err := client(t, dir).Dump(t.Context(), DumpRequest{}, io.Discard, nil); !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
		t.Errorf("one dump more: %v", err)
	}
	if _, err := client(t, dir).Status(t.Context()); err != nil {
		t.Error(err)
	}
	close(end)
	for range maxDumps {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
