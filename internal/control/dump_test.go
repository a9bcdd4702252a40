package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

func TestDump(t *testing.T) {
	first := time.Date(2026, 3, 1, 9, 0, 0, 1, time.UTC)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	var asked DumpRequest
	var from ipc.Peer
	dir, errs := serve(t, &fakeService{dump: func(_ context.Context, req DumpRequest, peer ipc.Peer, w DumpWriter) (DumpResult, error) {
		asked, from = req, peer
		w.Estimate(int64(len(content)))
		// Pieces below, at and above the size that is sent on at once.
		for _, n := range []int{24, smallWrite, smallWrite + 1, 256 << 10, len(content)} {
			n = min(n, len(content))
			if _, err := w.Write(content[:n]); err != nil {
				return DumpResult{}, err
			}
		}
		return DumpResult{Packets: 7, First: first, Last: first.Add(time.Hour), EvictedPackets: 3, LimitReached: true}, nil
	}})
	var want []byte
	for _, n := range []int{24, smallWrite, smallWrite + 1, 256 << 10, len(content)} {
		want = append(want, content[:n]...)
	}
	sum := sha256.Sum256(want)

	req := DumpRequest{
		Format: PCAPNG, Since: first, Until: first.Add(time.Minute),
		Filter: "tcp port 80 && host a+b%20", Limit: 12345, SHA256: true,
	}
	var got bytes.Buffer
	var lastDone, estimate int64
	result, err := client(t, dir).Dump(t.Context(), req, &got, func(d, e int64) { lastDone, estimate = d, e })
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes came, not those sent", got.Len())
	}
	wantResult := DumpResult{
		Format: PCAPNG, Packets: 7, Bytes: int64(len(want)), First: first, Last: first.Add(time.Hour),
		EvictedPackets: 3, LimitReached: true, SHA256: hex.EncodeToString(sum[:]),
	}
	if result != wantResult {
		t.Errorf("result %+v, want %+v", result, wantResult)
	}
	if !reflect.DeepEqual(asked, req) {
		t.Errorf("service was asked %+v, want %+v", asked, req)
	}
	if from.PID != os.Getpid() {
		t.Errorf("peer %+v", from)
	}
	if lastDone != int64(len(want)) || estimate != int64(len(content)) {
		t.Errorf("progress ended at %d of %d", lastDone, estimate)
	}
	if errs.String() != "" {
		t.Errorf("log: %s", errs)
	}
}

func TestHeaderComesAtOnce(t *testing.T) {
	read := make(chan struct{})
	dir, _ := serve(t, &fakeService{dump: func(ctx context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		if _, err := w.Write(make([]byte, 24)); err != nil {
			return DumpResult{}, err
		}
		select {
		case <-read:
			return DumpResult{}, nil
		case <-ctx.Done():
			return DumpResult{}, ctx.Err()
		}
	}})
	_, err := client(t, dir).Dump(t.Context(), DumpRequest{}, io.Discard, func(done, _ int64) {
		if done == 24 {
			close(read)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDumpFailures(t *testing.T) {
	var serviceDump func(w DumpWriter) error
	dir, errs := serve(t, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		return DumpResult{}, serviceDump(w)
	}})
	for _, test := range []struct {
		name  string
		dump  func(w DumpWriter) error
		check func(err error) bool
		log   string
	}{
		{"bad filter", func(DumpWriter) error { return BadFilter("syntax error", 3) }, func(err error) bool {
			var p *Problem
			return errors.As(err, &p) && p.Status == 400 && *p.Position == 3 && strings.Contains(p.Hint, "pcap-filter")
		}, ""},
		{"before the header", func(DumpWriter) error { return errors.New("no buffers") }, func(err error) bool {
			var p *Problem
			return errors.As(err, &p) && p.Status == 500 && p.Message == "no buffers"
		}, ""},
		{"after the header", func(w DumpWriter) error {
			_, _ = w.Write(make([]byte, 24))
			return errors.New("stalled")
		}, func(err error) bool { return errors.Is(err, ErrIncomplete) }, ""},
		{"panic", func(w DumpWriter) error {
			_, _ = w.Write(make([]byte, 24))
			panic("a bug")
		}, func(err error) bool { return errors.Is(err, ErrIncomplete) }, "a bug"},
	} {
		t.Run(test.name, func(t *testing.T) {
			serviceDump = test.dump
			_, err := client(t, dir).Dump(t.Context(), DumpRequest{SHA256: true}, io.Discard, nil)
			if !test.check(err) {
				t.Errorf("client got %v", err)
			}
			eventually(t, "log says "+test.log, func() bool { return strings.Contains(errs.String(), test.log) })
			if _, err := client(t, dir).Status(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestShortStreams has servers that do not keep their word.
func TestShortStreams(t *testing.T) {
	const body = "24 bytes of capture file"
	sum := sha256.Sum256([]byte(body))
	chunked := func(trailer string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-PacketCache-Result\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n", len(body), body, trailer)
	}
	result := func(n int, sum string) string {
		return fmt.Sprintf("X-PacketCache-Result: {\"bytes\":%d,\"sha256\":%q}\r\n", n, sum)
	}
	for _, test := range []struct {
		name, answer string
		complete     bool
	}{
		{"complete", chunked(result(len(body), hex.EncodeToString(sum[:]))), true},
		{"no trailer", chunked(""), false},
		{"trailer is not JSON", chunked("X-PacketCache-Result: yes\r\n"), false},
		{"fewer bytes than sent", chunked(result(len(body)+1, hex.EncodeToString(sum[:]))), false},
		{"other bytes than sent", chunked(result(len(body), strings.Repeat("0", 64))), false},
		{"no hash", chunked(result(len(body), "")), false},
		{"cut within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n18\r\nhalf", false},
		{"cut before the end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false},
		{"not chunked", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf", false},
		{"shorter than announced", "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nhalf", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := endpointDir(t)
			ln, err := ipc.Listen(ipc.Control, ipc.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, test.answer)
				_ = c.Close()
			}()
			_, err = client(t, dir).Dump(t.Context(), DumpRequest{SHA256: true}, io.Discard, nil)
			if test.complete && err != nil || !test.complete && !errors.Is(err, ErrIncomplete) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestVanishingClient(t *testing.T) {
	gone := make(chan error, 1)
	dir, _ := serve(t, &fakeService{dump: func(ctx context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		buf := make([]byte, 256<<10)
		for {
			if _, err := w.Write(buf); err != nil {
				<-ctx.Done() // the service can wait for this
				gone <- err
				return DumpResult{}, err
			}
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := client(t, dir).Dump(ctx, DumpRequest{}, io.Discard, func(done, _ int64) {
		if done > 1<<20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("client: %v", err)
	}
	select {
	case err := <-gone:
		if err == nil {
			t.Error("the service wrote to nobody")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the service does not notice")
	}
}

func TestStalledReader(t *testing.T) {
	stalled := make(chan error, 1)
	dir, _ := serve(t, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		buf := make([]byte, 256<<10)
		for {
			if err := w.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
				stalled <- err
				return DumpResult{}, err
			}
			if _, err := w.Write(buf); err != nil {
				stalled <- err
				return DumpResult{}, err
			}
		}
	}})
	c := rawDial(t, dir)
	if _, err := io.WriteString(c, "GET /v1/dump HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-stalled; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write to a stalled reader: %v", err)
	}
}

func TestWriterErrorIsPassedOn(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		_, err := w.Write(make([]byte, 100))
		return DumpResult{}, err
	}})
	full := errors.New("disk full")
	_, err := client(t, dir).Dump(t.Context(), DumpRequest{}, failingWriter{full}, nil)
	if !errors.Is(err, full) || errors.Is(err, ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

func TestContentType(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: func(context.Context, DumpRequest, ipc.Peer, DumpWriter) (DumpResult, error) {
		return DumpResult{}, nil
	}})
	for query, want := range map[string]string{
		"":               "application/vnd.tcpdump.pcap",
		"?format=pcap":   "application/vnd.tcpdump.pcap",
		"?format=pcapng": "application/x-pcapng",
	} {
		got := raw(t, dir, "GET /v1/dump"+query+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if got.status != http.StatusOK || got.header.Get("Content-Type") != want || got.body != "" {
			t.Errorf("%q: %+v", query, got)
		}
		if got.trailer.Get(trailerResult) == "" {
			t.Errorf("%q: no result", query)
		}
	}
}

func TestParseAge(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "30m": 30 * time.Minute, "2h": 2 * time.Hour, "3d": 72 * time.Hour,
		"1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "1d1ns": 24*time.Hour + 1, "365d": 365 * 24 * time.Hour,
		"": 0, "0": 0, "0s": 0, "0d": 0, "d": 0, "-1h": 0, "+1h": 0, "1d-1h": 0, "1d+1h": 0, "1": 0, "h": 0,
		"1.5d": 0, "1d1d": 0, "99999d": 0, "2562047h": 0, "3 d": 0, "1w": 0, "18446744073709551616d": 0,
	} {
		got, err := ParseAge(s)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseAge(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
}
