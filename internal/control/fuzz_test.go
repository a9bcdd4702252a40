package control

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

// FuzzConnection sends rubbish to the endpoint: it must end the connection,
// and the next client must be served.
func FuzzConnection(f *testing.F) {
	for _, seed := range []string{
		"",
		"\x00\x01\x02",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/status HTTP/1.0\r\n\r\n",
		"GET /v1/status\r\n",
		"GET /v1/status HTTP/9.9\r\nHost: x\r\n\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/interfaces HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/dump?since=2026-03-01T00:00:00Z&filter=tcp HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/dump?last=9999999d&limit=-5 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\nx",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://[::1/v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	dir, _ := serve(f, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		_, err := w.Write(make([]byte, 24))
		return DumpResult{}, err
	}}, func(s *Server) {
		s.http.ReadHeaderTimeout = 100 * time.Millisecond
		s.http.IdleTimeout = 100 * time.Millisecond
	})
	c := client(f, dir)
	f.Fuzz(func(t *testing.T, request []byte) {
		conn := rawDial(t, dir)
		go func() {
			_, _ = conn.Write(request)
			if half, ok := conn.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		}()
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection stays open")
		}
		if _, err := c.Status(t.Context()); err != nil {
			t.Errorf("the next client: %v", err)
		}
	})
}

// FuzzDumpRequest holds reading and writing of queries against each other.
func FuzzDumpRequest(f *testing.F) {
	for _, seed := range []string{
		"",
		"format=pcapng&since=2026-03-01T09:30:00.5%2B01:00&until=2026-03-01T10:00:00Z",
		"last=1d12h&filter=tcp+port+80&limit=1000&sha256=1",
		"filter=%00%ff&sha256=false",
		"since=0000-01-01T00:00:00Z",
		"a;b=c&&=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		first, err := parseDumpRequest(query)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.Status != 400 {
				t.Fatalf("%q: %v is not a bad request", query, err)
			}
			return
		}
		second, err := parseDumpRequest(first.query().Encode())
		if err != nil {
			t.Fatalf("%q: its own writing %q: %v", query, first.query().Encode(), err)
		}
		if !first.Since.Equal(second.Since) || !first.Until.Equal(second.Until) {
			t.Fatalf("%q: times changed: %v, %v", query, first, second)
		}
		first.Since, first.Until, second.Since, second.Until = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if first != second {
			t.Fatalf("%q: %+v became %+v", query, first, second)
		}
	})
}
