package daemon

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
)

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
	if !st.Replay || st.Totals.Seen.Packets != packets || len(st.Interfaces) != 3 || len(st.Warnings) < 2 {
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
	none := filepath.Join(t.TempDir(), "none.pcap")
	if err := os.WriteFile(none, []byte("no capture at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, replay := range map[string][]string{
		"none.pcap":   {none},
		"good.pcapx":  {good, good + "x"},
		"a directory": {good, t.TempDir()},
		"in use":      {good},
	} {
		o := options(config.Defaults(), replay...)
		o.Loaded.EndpointDir = s.dir
		o.Log.SetOutput(io.Discard)
		o.Foreground = io.Discard
		err := Run(t.Context(), o, func() { t.Errorf("%s: it is ready", name) })
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.await("still there", func(st control.Status) bool { return st.Totals.Seen.Packets == 10 })
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
	defer d.replays.close()
	for range maxCoverage {
		d.coverage.add(control.CoverageEntry{Kind: "down", Text: strings.Repeat("x", 1000)})
	}
	for _, comment := range d.Section().Comments {
		if len(comment) > 65535 {
			t.Errorf("a comment has %d bytes, an option holds 65535", len(comment))
		}
	}
}

// The settings that it works with are told, and what was wrong with others.
func TestSettingsAreTold(t *testing.T) {
	given := &config.Args{}
	given.Set("log-level", "debug")
	given.Set("bias", "99")
	o := options(config.Defaults(), writeCapture(t, "a.pcap", packet.LinkTypeEthernet, 3))
	o.Loader.Sources = []config.Source{given}
	o.Loaded = o.Loader.Load(nil)
	s := runDaemon(t, o)
	settings, err := s.client.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if level, _ := settings.Find("log-level"); level.Origin != "command line" || level.Values[0] != "debug" {
		t.Errorf("log-level is %+v", level)
	}
	if len(settings.Problems) != 1 || settings.Problems[0].Key != "bias" {
		t.Errorf("problems %+v", settings.Problems)
	}
}
