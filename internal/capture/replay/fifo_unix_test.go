//go:build unix

package replay

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
)

// A pipe is read as it is written, and a context that is done ends the wait
// for a writer that says nothing.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	file, _ := numbered(10)
	writer := make(chan *os.File, 1)
	go func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
		} else if _, err := w.Write(file); err != nil {
			t.Error(err)
		}
		writer <- w
	}()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sink := capturetest.NewSink()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, sink) }()
	sink.Await(t, 10)
	if read, size := s.Progress(); size != 0 || read > int64(len(file)) {
		t.Errorf("progress is %d of %d", read, size)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Run returned %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Run still waits for the writer")
	}
	(<-writer).Close()
}
