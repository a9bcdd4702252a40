package control

import (
	"bufio"
	"bytes"
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
