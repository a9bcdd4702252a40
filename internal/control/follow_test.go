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
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

// following is a service whose dumps send a header, and "end" when they are ended.
func following(_ context.Context, req DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
	if _, err := w.Write([]byte("header ")); err != nil {
		return DumpResult{}, err
	}
	if req.Follow {
		<-req.End
	}
	_, err := w.Write([]byte("end"))
	return DumpResult{Packets: 1}, err
}

func TestFollowEnds(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: following})
	end := make(chan struct{})
	var got bytes.Buffer
	result, err := client(t, dir).Dump(t.Context(), DumpRequest{Follow: true, End: end, SHA256: true}, &got, func(done, _ int64) {
		if done == int64(len("header ")) {
			close(end)
		}
	})
	if err != nil || got.String() != "header end" || result.Packets != 1 {
		t.Errorf("%q, %+v, %v", &got, result, err)
	}
}

// TestFollowKeepsNothingBack: what has been written arrives, whatever its size.
func TestFollowKeepsNothingBack(t *testing.T) {
	sizes := []int{24, smallWrite, smallWrite + 1, 8000, 70000}
	next := make(chan struct{}, 1)
	dir, _ := serve(t, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
		for _, n := range sizes {
			if _, err := w.Write(make([]byte, n)); err != nil {
				return DumpResult{}, err
			}
			select {
			case <-next:
			case <-time.After(20 * time.Second):
				return DumpResult{}, errors.New("not all has arrived")
			}
		}
		return DumpResult{}, nil
	}})
	due, at := int64(0), 0
	_, err := client(t, dir).Dump(t.Context(), DumpRequest{Follow: true}, io.Discard, func(done, _ int64) {
		if at < len(sizes) && done == due+int64(sizes[at]) {
			due, at = done, at+1
			next <- struct{}{}
		}
	})
	if err != nil || at != len(sizes) {
		t.Errorf("%d pieces, %v", at, err)
	}
}

// TestFollowEndsEarly: the end can be wanted before the dump has begun.
func TestFollowEndsEarly(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: following})
	end := make(chan struct{})
	close(end)
	var got bytes.Buffer
	if _, err := client(t, dir).Dump(t.Context(), DumpRequest{Follow: true, End: end}, &got, nil); err != nil || got.String() != "header end" {
		t.Errorf("%q, %v", &got, err)
	}
}

func TestFollowNames(t *testing.T) {
	dir, _ := serve(t, &fakeService{dump: following})
	ask := func(path string) answer {
		method := "GET"
		if strings.HasPrefix(path, "/v1/dump/end") {
			method = "POST"
		}
		return raw(t, dir, method+" "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	for _, name := range []string{"", strings.Repeat("x", maxName+1)} {
		if got := ask("/v1/dump?follow=" + name); got.status != http.StatusBadRequest {
			t.Errorf("name %q: %+v", name, got)
		}
	}
	c := rawDial(t, dir)
	if _, err := io.WriteString(c, "GET /v1/dump?follow=mine HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil) // it has begun
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := ask("/v1/dump?follow=mine"); got.status != http.StatusBadRequest {
		t.Errorf("the same name again: %+v", got)
	}
	for path, want := range map[string]int{
		"/v1/dump/end": 400, "/v1/dump/end?follow=mine&x=1": 400, "/v1/dump/end?follow=mine&follow=yours": 400,
		"/v1/dump/end?follow=yours": 404,
	} {
		if got := ask(path); got.status != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for range 2 { // ended is ended
		if got := ask("/v1/dump/end?follow=mine"); got.status != http.StatusOK && got.status != http.StatusNotFound {
			t.Errorf("%+v", got)
		}
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "header end" {
		t.Errorf("%q, %v", body, err)
	}
	eventually(t, "the name is forgotten", func() bool { return ask("/v1/dump/end?follow=mine").status == http.StatusNotFound })
}
