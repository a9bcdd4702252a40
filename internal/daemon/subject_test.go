package daemon

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// patience is how long something may take that should happen soon.
const patience = 60 * time.Second

// A log collects lines that a service logs.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A subject is a daemon within the test.
type subject struct {
	t         testing.TB
	dir       string
	log, said log
	client    *control.Client
	stop      func() // and wait
}

// runDaemon runs a daemon in the foreground until the test ends.
func runDaemon(t testing.TB, o Options) *subject {
	t.Helper()
	dir := endpointDir(t)
	s := &subject{t: t, dir: dir, client: control.NewClient(dir)}
	o.Foreground = &s.said
	s.run(o)
	return s
}

// run runs the daemon until the test ends.
func (s *subject) run(o Options) {
	t := s.t
	t.Helper()
	o.Loaded.EndpointDir = s.dir
	o.Log.SetOutput(&s.log)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Run(ctx, o, func() { close(ready) }) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Run returned %v", err)
				}
			case <-time.After(patience):
				t.Errorf("Run has not returned after %v", patience)
			}
			s.client.Close()
		})
	}
	t.Cleanup(s.stop)
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("it did not start: %v", err)
	}
}

func (s *subject) await(what string, holds func(control.Status) bool) control.Status {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		st, err := s.client.Status(s.t.Context())
		if err == nil && holds(st) {
			return st
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %v: %s; %v, %+v\n%s", patience, what, err, st, s.log.String())
		}
	}
}

// writeCapture writes a file of some packets of a link type, a second apart.
func writeCapture(t *testing.T, name string, lt packet.LinkType, packets int) string {
	t.Helper()
	file := pcapio.AppendHeader(nil, lt)
	for i := range packets {
		data := bytes.Repeat([]byte{byte(i)}, 60+i%100)
		at := time.Date(2026, 3, 1, 9, 0, i, 0, time.UTC).UnixNano()
		file = pcapio.AppendRecord(file, &packet.Packet{Time: at, Data: data, OrigLen: uint32(len(data))})
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
