package ipc

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// served listens at an endpoint until the test ends.
func served(t *testing.T, e Endpoint, cfg Config) *Listener {
	t.Helper()
	ln, err := Listen(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func dial(t *testing.T, e Endpoint, dir string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := Dial(ctx, e, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestBothEndpointsCarryBytesBothWays(t *testing.T) {
	dir := testDir(t)
	for _, e := range []Endpoint{Dump, Control} {
		t.Run(e.String(), func(t *testing.T) {
			ln := served(t, e, Config{Dir: dir})
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				_, _ = io.CopyN(c, c, 5)
			}()
			c := dial(t, e, dir)
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || string(got) != "hello" {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

func TestDialWithoutService(t *testing.T) {
	_, err := Dial(t.Context(), Control, testDir(t))
	if !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}

func TestInUse(t *testing.T) {
	dir := testDir(t)
	served(t, Dump, Config{Dir: dir})
	ln, err := Listen(Dump, Config{Dir: dir})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("second listener: %v, %v, want ErrInUse", ln, err)
	}
	served(t, Control, Config{Dir: dir}) // the other endpoint is free
}

func TestPlaceIsFreeAfterClose(t *testing.T) {
	dir := testDir(t)
	for range 3 {
		ln, err := Listen(Control, Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		if err := ln.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
	}
	if _, err := Dial(t.Context(), Control, dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("dial after Close: %v", err)
	}
}

func TestMaxConns(t *testing.T) {
	dir := testDir(t)
	var accepting sync.WaitGroup
	t.Cleanup(accepting.Wait)
	ln := served(t, Dump, Config{Dir: dir, MaxConns: 2})
	accepted := make(chan net.Conn, 3)
	accepting.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			// A pipe has its name as long as one of its ends is open.
			defer c.Close()
			accepted <- c
		}
	})
	first := func() net.Conn { dial(t, Dump, dir); return <-accepted }
	a, _ := first(), first()
	third := make(chan net.Conn)
	go func() {
		c, err := Dial(context.Background(), Dump, dir)
		if err == nil {
			defer c.Close()
			third <- <-accepted
		}
	}()
	select {
	case <-third:
		t.Fatal("a third client was served beside two")
	case <-time.After(50 * time.Millisecond): // no event says "still waiting"
	}
	_ = a.Close()
	_ = a.Close() // must give back one place only
	select {
	case <-third:
	case <-time.After(10 * time.Second):
		t.Fatal("the third client was not served when a place was free")
	}
	if n := len(ln.slots); n != 2 {
		t.Errorf("%d places taken, want 2: the third client and nobody but it", n)
	}
}
