package daemon

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/packet"
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
		"The cache was wiped by ada (uid 7), pid 5 (/bin/pcctl): 1 packets, 100 bytes in memory, and the files - with their keys.",
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
