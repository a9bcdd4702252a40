package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/ipc"
)

// TestUnwrapClient holds the client to what docs/control.md says goes over the
// wire.
func TestUnwrapClient(t *testing.T) {
	header := []byte("age-encryption.org/v1\n-> packetcache 1 age1\n\n--- x\n")
	for _, test := range []struct {
		name, answer, want string
		status             int
	}{
		{"ours", "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n{\"file_key\":\"c2l4dGVlbiBieXRlcyE=\"}    ", "sixteen bytes!", 0},
		{"not ours", "HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n{\"error\":\"no such\"}", "", http.StatusNotFound},
		{"no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := endpointDir(t)
			ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			asked := make(chan string, 1)
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					asked <- err.Error()
					return
				}
				body, _ := io.ReadAll(req.Body)
				asked <- req.Method + " " + req.URL.Path + " " + string(body)
				_, _ = io.WriteString(c, test.answer)
			}()
			key, err := client(t, dir).Unwrap(t.Context(), header)
			if got := <-asked; got != "POST /v1/unwrap "+string(header) {
				t.Errorf("the service was asked %q", got)
			}
			var p *Problem
			switch {
			case test.want != "":
				if err != nil || !bytes.Equal(key, []byte(test.want)) {
					t.Errorf("got %q, %v", key, err)
				}
			case test.status != 0:
				if !errors.As(err, &p) || p.Status != test.status {
					t.Errorf("got %v", err)
				}
			default:
				if err == nil || !strings.Contains(err.Error(), "cannot be read") {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestUnwrapServer(t *testing.T) {
	header := []byte("age-encryption.org/v1\n")
	dir, _ := serve(t, &fakeService{unwrap: func(_ context.Context, got []byte, from ipc.Peer) ([]byte, error) {
		switch {
		case from.PID == 0:
			return nil, errors.New("from nobody")
		case !bytes.Equal(got, header):
			return nil, &Problem{Status: http.StatusNotFound, Message: "not of this machine"}
		}
		return []byte("sixteen bytes!!!"), nil
	}})
	key, err := client(t, dir).Unwrap(t.Context(), header)
	if err != nil || string(key) != "sixteen bytes!!!" {
		t.Errorf("got %q, %v", key, err)
	}
	var p *Problem
	if _, err := client(t, dir).Unwrap(t.Context(), bytes.Repeat([]byte("x"), MaxAgeHeader)); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("another's file: %v", err)
	}
	for name, request := range map[string]string{
		"too long":  "Content-Length: 16385\r\n\r\n",
		"no length": "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	} {
		if got := raw(t, dir, "POST /v1/unwrap HTTP/1.1\r\nHost: x\r\n"+request); got.status != http.StatusBadRequest || !strings.Contains(got.body, "at most 16384 bytes") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := raw(t, dir, "POST /v1/unwrap?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"); got.status != http.StatusBadRequest {
		t.Errorf("with a parameter: %d %s", got.status, got.body)
	}
}
