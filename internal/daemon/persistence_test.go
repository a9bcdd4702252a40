package daemon

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/seal"
)

// A collector keeps the texts of events.
type collector []string

func (*collector) Levels() []logrus.Level { return logrus.AllLevels }

func (c *collector) Fire(e *logrus.Entry) error {
	if o, ok := e.Data[eventlog.Field].(eventlog.Occurrence); ok {
		*c = append(*c, o.Text())
	}
	return nil
}

// Where the clock was set back while the service was away, the coverage log says so
// between the runs, whose times do not follow on each other then.
func TestClockSetBackIsTold(t *testing.T) {
	started := time.Date(2026, 3, 7, 9, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		saved time.Time
		want  string
	}{
		{started.Add(-time.Hour), "stop start"},
		{started.Add(time.Second), "stop start"}, // corrected a little
		{started.Add(24 * time.Hour), "stop clock: the clock has been set back meanwhile, by 24h0m0s or more start"},
	} {
		d := &Daemon{started: started}
		d.coverage.add(control.CoverageEntry{Time: started, Kind: "start"})
		d.returned(&seal.Head{Saved: test.saved, Final: true, Coverage: []seal.Coverage{{Time: test.saved, Kind: "stop"}}})
		var got []string
		for _, e := range d.coverage.all() {
			if e.Text != "" {
				e.Kind += ": " + e.Text
			}
			got = append(got, e.Kind)
		}
		if log := strings.Join(got, " "); log != test.want {
			t.Errorf("saved %v: the coverage log is %q, want %q", test.saved, log, test.want)
		}
	}
}

// Who dumps before all is read back is told so, by the result and in the file.
func TestDumpBeforeRestored(t *testing.T) {
	c, err := cache.New(cache.Options{Bytes: cache.MinBytes, Bias: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	settings := config.Defaults()
	settings.DataDir = filepath.Join(t.TempDir(), "data")
	d := &Daemon{o: options(settings), cache: c}
	d.log = d.o.Log
	d.inForce.Store(d.o.Loaded)
	d.dumper = dump.New(c, d)
	for _, restoring := range []bool{false, true} {
		if restoring {
			d.o.Loaded.Settings.Persist = true
			d.keeper = d.newKeeper() // which has not begun yet
		}
		var file page
		result, err := api{d}.Dump(t.Context(), control.DumpRequest{Format: control.PCAPNG}, ipc.Peer{}, &file)
		if err != nil || result.Restoring != restoring {
			t.Errorf("while it restores (%v): %+v, %v", restoring, result, err)
		}
		if says := strings.Contains(file.String(), "still being read back"); says != restoring {
			t.Errorf("while it restores (%v) the file says so: %v", restoring, says)
		}
	}
}

// A page is a file that is dumped to.
type page struct{ bytes.Buffer }

func (*page) Estimate(int64)                   {}
func (*page) SetWriteDeadline(time.Time) error { return nil }

// Who has the cache wiped is told, also if not all of it could be.
func TestClearIsTold(t *testing.T) {
	c, err := cache.New(cache.Options{Bytes: cache.MinBytes, Bias: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Interface(packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet}); err != nil {
		t.Fatal(err)
	}
	settings := config.Defaults()
	settings.DataDir = filepath.Join(t.TempDir(), "data")
	d := &Daemon{o: options(settings), cache: c}
	d.log = d.o.Log
	events := &collector{}
	d.log.AddHook(events)
	d.inForce.Store(d.o.Loaded)
	d.keeper = d.newKeeper()
	other, err := datadir.Open(settings.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c.Append([]packet.Packet{{Data: make([]byte, 100), OrigLen: 100}})
	}
	cleared, err := d.clear("ada (uid 7)", "pid 5 (/bin/pcctl)")
	if !errors.Is(err, datadir.ErrInUse) || cleared.Packets != 2 {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	c.Append([]packet.Packet{{Data: make([]byte, 100), OrigLen: 100}})
	if cleared, err = d.clear("ada (uid 7)", "pid 5 (/bin/pcctl)"); err != nil || cleared.Packets != 1 || cleared.Bytes != 100 {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
	want := []string{
		"ada (uid 7), pid 5 (/bin/pcctl), wiped the cache in memory, but not all of its files: locking " + settings.DataDir + ": another process keeps its data there.",
		"The cache was wiped by ada (uid 7), pid 5 (/bin/pcctl): 1 packets, 100 bytes in memory. Files that went with their keys: none.",
	}
	if !slices.Equal(*events, want) {
		t.Errorf("the events are %q, want %q", *events, want)
	}
	log := d.coverage.all()
	if len(log) != 2 || log[1].Kind != "clear" || log[1].Text != "the cache was wiped by ada (uid 7)" {
		t.Errorf("the coverage log is %+v", log)
	}
	if held := c.Stats(); held.Held().Packets != 0 {
		t.Errorf("%d packets are still there", held.Held().Packets)
	}
}
