package ipc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/Microsoft/go-winio"
)

// testDir is a suffix that no other test uses.
func testDir(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("-test-%d-%s", os.Getpid(), strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ' ' {
			return '-'
		}
		return r
	}, t.Name()))
}

func TestForeignOwnerIsRefused(t *testing.T) {
	dir := testDir(t)
	path, err := Address(Control, dir)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: "O:BUG:BUD:P(A;;GA;;;WD)"})
	if err != nil {
		t.Skipf("this system does not let us own a pipe as Users: %v", err)
	}
	defer ln.Close()
	occupyPlaceholder(path)
	go func() { _, _ = ln.Accept() }()
	if c, err := Dial(t.Context(), Control, dir); !errors.Is(err, ErrPermission) {
		t.Errorf("got %v, %v, want ErrPermission", c, err)
	}
}

func TestPeerIsThisProcess(t *testing.T) {
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir})
	accepted := make(chan Peer)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			close(accepted)
			return
		}
		defer c.Close()
		peer, _ := PeerOf(c)
		accepted <- peer
	}()
	dial(t, Control, dir)
	if peer := <-accepted; peer.PID != os.Getpid() || peer.User == "" || peer.Program == "" {
		t.Errorf("peer %+v, pid %d", peer, os.Getpid())
	}
}

func TestSuffix(t *testing.T) {
	for suffix, ok := range map[string]bool{
		"":                       true,
		"-lab":                   true,
		".2":                     true,
		`C:\run`:                 false,
		"run/packetcache":        false,
		"-control":               false,
		"-Control-2":             false,
		strings.Repeat("x", 300): false,
	} {
		if _, err := Address(Dump, suffix); (err == nil) != ok {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}
