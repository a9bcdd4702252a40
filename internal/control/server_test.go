package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

func TestStatusAndInterfaces(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 30, 0, 123456789, time.UTC)
	want := Status{
		Version: "1.2.3", State: StateCapturing, Since: now, Time: now, Host: "host", PID: 7,
		Memory:      Memory{BudgetBytes: 1 << 25, UsedBytes: 5, CacheBytes: 4, Locked: true},
		Totals:      Totals{Seen: Count{1, 2}, Refused: map[string]uint64{"too large": 3}},
		Horizons:    []Horizon{{UpToBytes: 1024, Seconds: 1.5}, {Complete: true}},
		Retain:      []RetainRule{{Filter: "port 53", Factor: 4, Sessions: 1, Horizons: []Horizon{}}},
		Classes:     []Class{{ToBytes: 1024, Packets: 5}},
		Persistence: Persistence{State: PersistenceReady, LastSave: &Save{Time: now, Packets: 4}, Restore: &Restore{Done: 1}, SetAside: []string{"f"}},
		Interfaces: []Interface{{
			ID: -1, Name: "Ethernet, 2", State: InterfaceCovered, CoveredBy: "br0", Addresses: []string{"10.0.0.1/8"},
		}},
		Coverage: []CoverageEntry{{Time: now, Kind: "start"}},
		Warnings: []string{"w"},
	}
	dir, _ := serve(t, &fakeService{status: func(context.Context) (Status, error) { return want, nil }})
	c := client(t, dir)
	got, err := c.Status(t.Context())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("status %+v, %v", got, err)
	}
	interfaces, err := c.Interfaces(t.Context())
	if err != nil || !reflect.DeepEqual(interfaces, want.Interfaces) {
		t.Errorf("interfaces %+v, %v", interfaces, err)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	text, err := json.Marshal(filled(Status{Interfaces: make([]Interface, 1)}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") {
		t.Errorf("null in %s", text)
	}
}

func TestStatusErrors(t *testing.T) {
	var fail error
	dir, _ := serve(t, &fakeService{status: func(context.Context) (Status, error) { return Status{}, fail }})
	for _, test := range []struct {
		err    error
		status int
	}{
		{errors.New("no memory"), 500},
		{fmt.Errorf("wrapped: %w", &Problem{Status: 503, Message: "starting", Hint: "Wait."}), 503},
	} {
		fail = test.err
		_, err := client(t, dir).Status(t.Context())
		var p *Problem
		if !errors.As(err, &p) || p.Status != test.status || p.Hint == "" {
			t.Errorf("%v came as %#v", test.err, err)
		}
	}
}

// An answer is a response whose body has been read.
type answer struct {
	status          int
	header, trailer http.Header
	body            string
}

// raw sends bytes and returns the answer.
func raw(t *testing.T, dir, request string) answer {
	t.Helper()
	c := rawDial(t, dir)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	return answer{resp.StatusCode, resp.Header, resp.Trailer, string(body)}
}

func rawDial(t testing.TB, dir string) net.Conn {
	t.Helper()
	c, err := ipc.Dial(context.Background(), ipc.Control, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func TestBadRequests(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: func(_ context.Context, req DumpRequest, _ ipc.Peer, _ DumpWriter) (DumpResult, error) {
		return DumpResult{}, BadFilter("no such thing", 4)
	}})
	const end = " HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, test := range []struct {
		request string
		status  int
		says    string
	}{
		{"GET /" + end, 404, "no such path"},
		{"GET /v1" + end, 404, "no such path"},
		{"GET /v1/status/" + end, 404, "no such path"},
		{"GET /v1/../v1/status" + end, 404, "no such path"},
		{"GET /v2/status" + end, 404, "no such path"},
		{"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "Use GET"},
		{"DELETE /v1/dump" + end, 405, "Use GET"},
		{"GET /v1/clear" + end, 405, "Use POST"},
		{"POST /v1/clear?yes=1" + end, 400, "no parameters"},
		{"POST /v1/clear HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 400, "body"},
		{"GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 400, "body"},
		{"GET /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "body"},
		{"GET /v1/status?x=1" + end, 400, "no parameters"},
		{"GET /v1/dump?fitler=tcp" + end, 400, `unknown parameter \"fitler\"`},
		{"GET /v1/dump?filter=a&filter=b" + end, 400, "2 times"},
		{"GET /v1/dump?filter=%zz" + end, 400, "cannot be read"},
		{"GET /v1/dump?format=gif" + end, 400, "unknown format"},
		{"GET /v1/dump?since=yesterday" + end, 400, "not a time"},
		{"GET /v1/dump?until=2026-03-01T09:30:00" + end, 400, "not a time"},
		{"GET /v1/dump?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z" + end, 400, "until is before since"},
		{"GET /v1/dump?since=2026-03-02T00:00:00Z&last=1h" + end, 400, "exclude each other"},
		{"GET /v1/dump?last=-1h" + end, 400, "not a length of time"},
		{"GET /v1/dump?limit=-1" + end, 400, "limit"},
		{"GET /v1/dump?limit=0" + end, 400, "limit"},
		{"GET /v1/dump?limit=99999999999999999999" + end, 400, "limit"},
		{"GET /v1/dump?sha256=maybe" + end, 400, "sha256"},
		{"GET /v1/dump?filter=" + strings.Repeat("x", maxFilter+1) + end, 400, "the filter has"},
		{"GET /v1/dump?filter=foo+bar" + end, 400, `"position": 4`},
	} {
		got := raw(t, dir, test.request)
		var p Problem
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || p.Message == "" {
			t.Errorf("%.60q: not a problem: %s", test.request, got.body)
		}
		if got.status != test.status || !strings.Contains(got.body, test.says) {
			t.Errorf("%.60q: %d %s, want %d with %q", test.request, got.status, got.body, test.status, test.says)
		}
		if got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%.60q: content type %q", test.request, got.header.Get("Content-Type"))
		}
	}
}

func TestOversizedRequests(t *testing.T) {
	dir, _ := serve(t, &fakeService{})
	big := strings.Repeat("x", 4*maxHeader)
	for name, request := range map[string]string{
		"path":        "GET /" + big + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"header":      "GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + big + "\r\n\r\n",
		"header name": "GET /v1/status HTTP/1.1\r\nHost: x\r\n" + big + ": x\r\n\r\n",
		"headers":     "GET /v1/status HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", maxHeader) + "\r\n",
	} {
		c := rawDial(t, dir)
		// The server may stop reading before all is written.
		go func() { _, _ = io.WriteString(c, request) }()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	if _, err := client(t, dir).Status(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// closes fails unless the server ends the connection.
func closes(t *testing.T, what string, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: the connection stays open", what)
	}
}

func TestSlowClientsAreGivenUp(t *testing.T) {
	dir, _ := serve(t, &fakeService{}, func(s *Server) {
		s.http.ReadHeaderTimeout = 50 * time.Millisecond
		s.http.IdleTimeout = 50 * time.Millisecond
	})
	for what, request := range map[string]string{
		"says nothing":        "",
		"half a request line": "GET /v1/sta",
		"half the headers":    "GET /v1/status HTTP/1.1\r\nHost: x\r\n",
		"no second request":   "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
		"half a body":         "POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
		"half a chunk":        "GET /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nx",
	} {
		c := rawDial(t, dir)
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		closes(t, what, c)
	}
}

func TestDefaultPatience(t *testing.T) {
	s := NewServer(&fakeService{}, nil)
	if s.http.ReadHeaderTimeout <= 0 || s.http.IdleTimeout <= 0 {
		t.Error("a slow client is never given up")
	}
	if s.http.WriteTimeout != 0 || s.http.ReadTimeout != 0 {
		t.Error("a long dump would be cut off")
	}
}

func TestRefusalIsHTTP(t *testing.T) {
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(Refusal()))), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var p Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.StatusCode != http.StatusForbidden || p.Hint == "" {
		t.Errorf("%s, %+v, %v", resp.Status, p, err)
	}
	p.Status = resp.StatusCode
	if !errors.Is(&p, ipc.ErrPermission) {
		t.Error("a refusal is not ErrPermission")
	}
}

func TestClientWithoutService(t *testing.T) {
	if _, err := client(t, endpointDir(t)).Status(t.Context()); !errors.Is(err, ipc.ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}

func TestShutdown(t *testing.T) {
	began := make(chan struct{})
	dir := endpointDir(t)
	ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(&fakeService{dump: func(ctx context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		_, _ = w.Write([]byte("header"))
		close(began)
		<-ctx.Done()
		return DumpResult{}, ctx.Err()
	}}, nil)
	served := make(chan error)
	go func() { served <- s.Serve(ln) }()
	dumped := make(chan error)
	go func() {
		_, err := client(t, dir).Dump(t.Context(), DumpRequest{}, io.Discard, nil)
		dumped <- err
	}()
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-dumped; !errors.Is(err, ErrIncomplete) {
		t.Errorf("Dump: %v, want ErrIncomplete", err)
	}
}
