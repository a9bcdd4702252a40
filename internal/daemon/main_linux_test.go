package daemon

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

func TestMain(m *testing.M) { os.Exit(capturetest.MainInNetNS(m)) }

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
	t         *testing.T
	dir       string
	log, said log
	client    *control.Client
	stop      func() // and wait
}

// runDaemon runs a daemon until the test ends.
func runDaemon(t *testing.T, o Options) *subject {
	t.Helper()
	dir, err := os.MkdirTemp("", "pcd") //nolint:usetesting // t.TempDir is longer than an address may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &subject{t: t, dir: dir, client: control.NewClient(dir)}
	o.Loaded.EndpointDir = dir
	o.Log.SetOutput(&s.log)
	o.Foreground = &s.said
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
	return s
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

// What a replay brings can be read while it comes, from both endpoints at once.
func TestReplayWhileRead(t *testing.T) {
	good := writeCapture(t, "good.pcap", packet.LinkTypeEthernet, 5000)
	raw := writeCapture(t, "raw.pcap", packet.LinkTypeRaw, 500)
	broken := writeCapture(t, "broken.pcap", packet.LinkTypeEthernet, 100)
	file, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, file[:len(file)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none.pcap")
	if err := os.WriteFile(none, []byte("no capture at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := runDaemon(t, options(config.Defaults(), good, broken, none, raw))
	var readers sync.WaitGroup
	for n := range 4 {
		readers.Go(func() {
			req := control.DumpRequest{SHA256: true}
			if n%2 == 1 {
				req.Format = control.PCAPNG
			}
			if _, err := s.client.Dump(t.Context(), req, io.Discard, nil); err != nil {
				t.Error(err)
			}
			conn, err := ipc.Dial(t.Context(), ipc.Dump, s.dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Error(err)
			}
		})
	}
	readers.Wait()
	const packets = 5000 + 99 + 500
	st := s.await("the end of the replay", func(st control.Status) bool { return st.State == control.StateIdle })
	if st.Totals.Seen.Packets != packets || len(st.Interfaces) != 3 || len(st.Warnings) < 2 {
		t.Errorf("%+v", st)
	}
	result, err := s.client.Dump(t.Context(), control.DumpRequest{Last: 10 * time.Second}, io.Discard, nil)
	if err != nil || result.Packets != 11 {
		t.Errorf("the last 10 s of the replay have %d packets, %v", result.Packets, err)
	}
	if _, err := s.client.Dump(t.Context(), control.DumpRequest{Limit: 10}, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "leaves no room") {
		t.Errorf("a limit of 10 bytes: %v", err)
	}
	s.stop()
	for _, words := range []string{"PacketCache started", "File replayed", "broken.pcap: byte", "none.pcap: byte 0", "Dump served", "PacketCache stopped"} {
		if !strings.Contains(s.log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, s.log.String())
		}
	}
	for _, words := range []string{"reading 4 capture files into", "status", "dump -w out.pcap", "5599 packets captured"} {
		if !strings.Contains(s.said.String(), words) {
			t.Errorf("in the foreground it does not say %q:\n%s", words, s.said.String())
		}
	}
}

// What cannot be replayed or served keeps the daemon from starting.
func TestNoStart(t *testing.T) {
	good := writeCapture(t, "good.pcap", packet.LinkTypeEthernet, 10)
	s := runDaemon(t, options(config.Defaults(), good))
	for name, replay := range map[string][]string{
		"no such file": {good, good + "x"},
		"a directory":  {good, t.TempDir()},
		"in use":       {good},
	} {
		o := options(config.Defaults(), replay...)
		o.Loaded.EndpointDir = s.dir
		o.Log.SetOutput(io.Discard)
		err := Run(t.Context(), o, func() { t.Errorf("%s: it is ready", name) })
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.await("still there", func(st control.Status) bool { return st.Totals.Seen.Packets == 10 })
}

// Live packets can be read while they come.
func TestLiveWhileRead(t *testing.T) {
	capturetest.Veth(t, "pcda", "pcdb")
	settings := config.Defaults()
	settings.Interfaces = []string{"pcda", "pcdnone"}
	settings.CaptureFilter = "ether proto 0x88b5"
	s := runDaemon(t, options(settings))
	s.await("pcda", func(st control.Status) bool { return st.State == control.StateCapturing })
	const packets = 2000
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 5 {
				if _, err := s.client.Dump(t.Context(), control.DumpRequest{Format: control.PCAPNG}, io.Discard, nil); err != nil {
					t.Error(err)
				}
				if _, err := s.client.Status(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	frame := append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5"), make([]byte, 200)...)
	frames := slices.Repeat([][]byte{frame}, packets)
	other := bytes.Clone(frame)
	other[13] = 0xb6 // which the filter keeps out
	capturetest.Send(t, "pcdb", append(frames, other)...)
	readers.Wait()
	st := s.await("all packets", func(st control.Status) bool { return st.Totals.Seen.Packets+st.Totals.Dropped >= packets })
	if st.Totals.Seen.Packets+st.Totals.Dropped != packets {
		t.Errorf("%d packets seen and %d dropped of %d", st.Totals.Seen.Packets, st.Totals.Dropped, packets)
	}
	for _, words := range []string{"pcdnone is asked for and not there"} {
		if !strings.Contains(strings.Join(st.Warnings, "\n"), words) {
			t.Errorf("the warnings are %q, want %q", st.Warnings, words)
		}
	}
	for _, i := range st.Interfaces {
		if i.Name == "pcda" && (i.Filter != settings.CaptureFilter || i.Backend != "afpacket" || i.State != control.InterfaceCapturing) {
			t.Errorf("%+v", i)
		}
	}
	result, err := s.client.Dump(t.Context(), control.DumpRequest{Last: time.Hour}, io.Discard, nil)
	if err != nil || result.Packets != st.Totals.Stored.Packets {
		t.Errorf("%d packets dumped, %d stored, %v", result.Packets, st.Totals.Stored.Packets, err)
	}
}

// The comments of a pcapng are bounded, whatever happened.
func TestSectionIsBounded(t *testing.T) {
	s := runDaemon(t, options(config.Defaults(), writeCapture(t, "a.pcap", packet.LinkTypeEthernet, 3)))
	var file bytes.Buffer
	if _, err := s.client.Dump(t.Context(), control.DumpRequest{Format: control.PCAPNG}, &file, nil); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"PacketCache", "Older sessions keep their beginning", "everything: complete", "When and where PacketCache was looking"} {
		if !bytes.Contains(file.Bytes(), []byte(words)) {
			t.Errorf("the file does not say %q", words)
		}
	}

	d, err := newDaemon(options(config.Defaults(), writeCapture(t, "b.pcap", packet.LinkTypeEthernet, 3)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.cache.Close()
	for range maxCoverage {
		d.coverage.add(control.CoverageEntry{Kind: "down", Text: strings.Repeat("x", 1000)})
	}
	for _, comment := range d.Section().Comments {
		if len(comment) > 65535 {
			t.Errorf("a comment has %d bytes, an option holds 65535", len(comment))
		}
	}
}
