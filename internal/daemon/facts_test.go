package daemon

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/dump"
	"github.com/packetcache/packetcache/internal/packet"
)

// sink takes a dump.
type sink struct{ bytes int }

func (s *sink) Write(p []byte) (int, error)    { s.bytes += len(p); return len(p), nil }
func (*sink) SetWriteDeadline(time.Time) error { return nil }

// TestDumpOfManyInterfaces: what a pcapng dump says of its interfaces takes
// memory as they do, not as their square.
func TestDumpOfManyInterfaces(t *testing.T) {
	c, err := cache.New(cache.Options{Bytes: cache.MinBytes, Bias: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const interfaces = 4096
	for i := range interfaces {
		if _, err := c.Interface(packet.Interface{Name: strconv.Itoa(i), LinkType: packet.LinkTypeEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	d := &Daemon{o: options(config.Defaults()), cache: c, replays: &replays{}}
	d.inForce.Store(d.o.Loaded)
	d.dumper = dump.New(c, d)
	var before, after runtime.MemStats
	var w sink
	runtime.ReadMemStats(&before)
	if _, err := d.dumper.Dump(context.Background(), dump.Request{PCAPNG: true, Query: cache.All}, &w); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if w.bytes < interfaces*64 {
		t.Errorf("a file of %d bytes does not describe %d interfaces", w.bytes, interfaces)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<20 {
		t.Errorf("the dump of an empty cache took %d MB of memory", taken>>20)
	}
}
