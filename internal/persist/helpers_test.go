package persist

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newCache makes a cache of so many bytes with an interface.
func newCache(t testing.TB, bytes int) *cache.Cache {
	t.Helper()
	c, err := cache.New(cache.Options{Bytes: bytes, Bias: 2, Compress: true})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	_, err = c.Interface(packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet})
	must(t, err)
	return c
}

// fill appends packets first to first+n, each unlike all others: sessions of 20
// of 300 bytes.
func fill(c *cache.Cache, first, n int) {
	for i := first; i < first+n; i++ {
		c.Append([]packet.Packet{{Time: int64(i) * int64(time.Millisecond), Data: frame(i), OrigLen: 300}})
	}
}

// frame is packet number i: a datagram over IPv4, whose end cannot be compressed.
func frame(i int) []byte {
	b := make([]byte, 300)
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00\x01\x1e\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02")
	session := i / 20
	binary.BigEndian.PutUint16(b[34:], uint16(1024+session%60000))
	binary.BigEndian.PutUint16(b[36:], uint16(1024+session/60000))
	binary.BigEndian.PutUint16(b[38:], 266)
	x := uint64(i)*0x9e3779b97f4a7c15 + 1
	for at := 42; at+8 <= len(b); at += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.BigEndian.PutUint64(b[at:], x)
	}
	return b
}

// contents counts the packets that are in a cache.
func contents(c *cache.Cache) map[string]int {
	all := map[string]int{}
	r := c.NewReader()
	r.Begin(cache.All)
	defer r.End()
	batch := make([]packet.Packet, 64)
	for n := r.Read(batch); n > 0; n = r.Read(batch) {
		for _, p := range batch[:n] {
			all[string(p.Data)]++
		}
	}
	return all
}

// numbered are the packets first to first+n.
func numbered(first, n int) map[string]int {
	all := map[string]int{}
	for i := first; i < first+n; i++ {
		all[string(frame(i))]++
	}
	return all
}

// holds checks that a cache holds just these packets.
func holds(t testing.TB, what string, c *cache.Cache, want map[string]int) {
	t.Helper()
	if got := contents(c); !maps.Equal(got, want) {
		t.Errorf("%s: it holds %d packets, want %d", what, len(got), len(want))
	}
}

// among checks that it holds some of these and no others.
func among(t testing.TB, c *cache.Cache, of map[string]int) int {
	t.Helper()
	got := contents(c)
	for p, n := range got {
		if n > of[p] {
			t.Errorf("a packet is there %d times, want at most %d", n, of[p])
			break
		}
	}
	return len(got)
}

// A journal keeps the events.
type journal struct {
	mu     sync.Mutex
	events []eventlog.Occurrence
}

func (j *journal) Levels() []logrus.Level { return logrus.AllLevels }

func (j *journal) Fire(e *logrus.Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if o, ok := e.Data[eventlog.Field].(eventlog.Occurrence); ok {
		j.events = append(j.events, o)
	}
	return nil
}

// names are the events so far.
func (j *journal) names() (names []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		names = append(names, e.Event().Name)
	}
	return names
}

// text is that of the last event of a name.
func (j *journal) text(name string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range slices.Backward(j.events) {
		if e.Event().Name == name {
			return e.Text()
		}
	}
	return ""
}

// A run is a Keeper in a test, from one start to one stop.
type run struct {
	*Keeper
	t     testing.TB
	cache *cache.Cache
	log   *journal
	heads []*seal.Head // that were returned
	ctx   context.Context
	stop  func()
	ended chan struct{}
	by    time.Duration // after the stop
	ahead time.Duration // of the right time is the clock on the wall
}

// manual are settings under which nothing happens by itself.
var manual = Settings{Persist: true}

// begin starts a Keeper on a disk.
func begin(t testing.TB, disk *faults.Disk, bytes int, s Settings) *run {
	t.Helper()
	r := newRun(t, bytes, s)
	r.at = func() (*vault.Vault, error) { return vault.In("/data", datadir.On(disk)) }
	r.start()
	return r
}

// beginIn starts one in a directory.
func beginIn(t testing.TB, dir string, bytes int, s Settings) *run {
	t.Helper()
	r := newRun(t, bytes, s)
	r.o.Dir = dir
	r.at = func() (*vault.Vault, error) { return vault.Open(dir) }
	r.start()
	return r
}

func newRun(t testing.TB, bytes int, s Settings) *run {
	t.Helper()
	r := &run{t: t, cache: newCache(t, bytes), log: &journal{}, ended: make(chan struct{}), by: 20 * time.Second}
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.AddHook(r.log)
	var stopped time.Time
	var once sync.Once
	r.ctx, r.stop = context.WithCancel(context.Background())
	t.Cleanup(r.stop)
	r.Keeper = New(Options{
		Dir: "/data", Cache: r.cache, Program: "test", Host: "host", Log: log,
		Coverage:  func() []seal.Coverage { return []seal.Coverage{{Kind: "start", Text: "of the test"}} },
		Returned:  func(h *seal.Head) { r.heads = append(r.heads, h) },
		OnBattery: func() bool { return false },
		Now:       func() time.Time { return time.Now().Add(r.ahead) },
		StopBy: func(context.Context) time.Time {
			once.Do(func() { stopped = time.Now() })
			return stopped.Add(r.by)
		},
	}, s)
	return r
}

func (r *run) start() {
	go func() {
		defer close(r.ended)
		r.Run(r.ctx)
	}()
}

// ready waits until nothing is left to be restored.
func (r *run) ready() Status {
	r.t.Helper()
	return r.await("ready", func(s Status) bool { return s.State == Ready })
}

// reading waits until the file of an earlier run is being read.
func (r *run) reading() {
	r.t.Helper()
	r.await("reading", func(s Status) bool {
		if free := r.work.TryLock(); free {
			r.work.Unlock()
			return false
		}
		return s.State == Restoring
	})
}

func (r *run) await(what string, holds func(Status) bool) Status {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		s := r.Status()
		if holds(s) {
			return s
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("not within 20 s: %s; the status is %+v, the events %q", what, s, r.log.names())
		}
	}
}

// kill ends it without a save.
func (r *run) kill() {
	r.stop()
	<-r.ended
	r.Close()
}

// end ends it in good order.
func (r *run) end() {
	r.stop()
	<-r.ended
	r.Save(r.ctx)
	r.Close()
}

// said checks which events were told.
func (r *run) said(want ...string) {
	r.t.Helper()
	if got := r.log.names(); !slices.Equal(got, want) {
		r.t.Errorf("the events are %q, want %q", got, want)
		for _, name := range got {
			r.t.Log(r.log.text(name))
		}
	}
}

// saved is a disk with a sealed cache of n packets.
func saved(t testing.TB, n int) *faults.Disk {
	t.Helper()
	disk := faults.New()
	r := begin(t, disk, cache.MinBytes, manual)
	r.ready()
	fill(r.cache, 0, n)
	r.end()
	r.said("CacheSaved")
	return disk
}

// file is what a disk has under a name.
func file(t testing.TB, disk *faults.Disk, name string) []byte {
	t.Helper()
	f, err := disk.Open(name, 0)
	must(t, err)
	defer f.Close()
	text, err := io.ReadAll(f)
	must(t, err)
	return text
}

// with is the disk with another file in the place of the sealed cache.
func with(t testing.TB, disk *faults.Disk, text []byte) *faults.Disk {
	t.Helper()
	other := disk.PowerCut(nil)
	must(t, datadir.On(other).Write(vault.Name, text))
	return other
}

// files are the names on a disk, without those of keys.
func files(t testing.TB, disk *faults.Disk) (names []string, keys int) {
	t.Helper()
	all, err := datadir.On(disk).Names()
	must(t, err)
	for _, name := range all {
		if len(name) > 60 {
			keys++
		} else {
			names = append(names, name)
		}
	}
	return names, keys
}

// headerOf is the age header of a sealed file.
func headerOf(t testing.TB, text []byte) []byte {
	t.Helper()
	header, _, err := seal.ReadHeader(bytes.NewReader(text))
	must(t, err)
	return header
}

// keyOf is the key that opens a file of a disk.
func keyOf(t testing.TB, disk *faults.Disk, text []byte) age.Identity {
	t.Helper()
	name, err := vault.Identity(bytes.NewReader(text))
	must(t, err)
	v, err := vault.In("/data", datadir.On(disk.PowerCut(nil)))
	must(t, err)
	key, err := v.Key(name)
	must(t, err)
	return key.Identity
}
