package dump

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
)

// A reel collects a dump that goes on. While it is held, writes wait.
type reel struct {
	mu   sync.Mutex
	file sheet
	held sync.Mutex
	at   atomic.Int64 // writes begun
}

func (r *reel) Write(p []byte) (int, error) {
	r.at.Add(1)
	r.held.Lock()
	defer r.held.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Write(p)
}

func (*reel) SetWriteDeadline(time.Time) error { return nil }

func (r *reel) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Len()
}

// A following is a dump under way that follows.
type following struct {
	reel   reel
	end    chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
	result Result
	err    error
}

func follow(t *testing.T, d *Dumper, req Request) *following {
	t.Helper()
	f := &following{end: make(chan struct{}), done: make(chan struct{})}
	req.End = f.end
	if req.Query.Since == 0 && req.Query.Until == 0 {
		req.Query = cache.All
	}
	var ctx context.Context
	ctx, f.cancel = context.WithCancel(t.Context())
	go func() {
		defer close(f.done)
		f.result, f.err = d.Dump(ctx, req, &f.reel)
	}()
	eventually(t, "the header comes", func() bool { return f.reel.size() > 0 })
	return f
}

// finish ends the dump in good order and takes it apart.
func (f *following) finish(t *testing.T) content {
	t.Helper()
	close(f.end)
	f.wait(t)
	if f.err != nil {
		t.Fatal(f.err)
	}
	if f.result.Bytes != int64(f.reel.size()) {
		t.Errorf("%d bytes came, %d are told", f.reel.size(), f.result.Bytes)
	}
	return parse(t, f.reel.file.Bytes())
}

func (f *following) wait(t *testing.T) {
	t.Helper()
	select {
	case <-f.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

// more waits until the file has grown.
func (f *following) more(t *testing.T, than int) int {
	t.Helper()
	eventually(t, "packets come", func() bool { return f.reel.size() > than })
	return f.reel.size()
}

func TestFollow(t *testing.T) {
	for _, pcapng := range []bool{false, true} {
		t.Run(fmt.Sprintf("pcapng %t", pcapng), func(t *testing.T) {
			c := newCache(t)
			d := New(c, facts{})
			eth := announce(t, c, "eth0", packet.LinkTypeEthernet)
			put(c, eth, second(0), ethernet+"history")
			f := follow(t, d, Request{PCAPNG: pcapng})
			size := f.more(t, 40)
			put(c, eth, second(1), ethernet+"live")
			size = f.more(t, size)
			// An interface that nobody knew of when the file began.
			tun := announce(t, c, "tun0", packet.LinkTypeRaw)
			put(c, tun, second(2), ipv4+"tunnel")
			f.more(t, size)
			put(c, eth, second(3), ethernet+"last") // at once before the end
			got := f.finish(t)
			if len(got.packets) != 4 || f.result.Packets != 4 || f.result.First != second(0) || f.result.Last != second(3) || f.result.Missing != 0 {
				t.Errorf("%d packets, %+v", len(got.packets), f.result)
			}
			for i, p := range got.packets {
				if p.Time != second(i) {
					t.Errorf("packet %d is of %d", i, p.Time)
				}
			}
			if pcapng && (len(got.interfaces) != 2 || got.interfaces[got.packets[2].Interface].Name != "tun0") {
				t.Errorf("interfaces %+v", got.interfaces)
			}
		})
	}
}

// TestFollowAndDump: those that follow keep the desks from nobody, and a client
// that goes away ends its dump.
func TestFollowAndDump(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	eth := announce(t, c, "eth0", packet.LinkTypeEthernet)
	var all []*following
	for range 3 * Parallel {
		all = append(all, follow(t, d, Request{}))
	}
	for n := range 5 {
		put(c, eth, second(n), ethernet)
		if got, _ := get(t, d, Request{}); len(got.packets) != n+1 {
			t.Errorf("a dump has %d packets of %d", len(got.packets), n+1)
		}
	}
	if active, _, _ := d.Activity(); active < 3*Parallel {
		t.Errorf("%d dumps are told to be active", active)
	}
	for i, f := range all {
		if i%2 == 0 {
			f.cancel()
			if f.wait(t); !errors.Is(f.err, context.Canceled) {
				t.Errorf("a client that left: %v", f.err)
			}
		} else if got := f.finish(t); len(got.packets) != 5 {
			t.Errorf("%d packets came of 5", len(got.packets))
		}
	}
	if active, waiting, served := d.Activity(); active != 0 || waiting != 0 || served != 5+3*Parallel/2 {
		t.Errorf("%d active, %d waiting, %d served", active, waiting, served)
	}
}

// TestSlowFollower: what is evicted before it is read is told, in the result and in
// the packets of a pcapng.
func TestSlowFollower(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	eth := announce(t, c, "eth0", packet.LinkTypeEthernet)
	f := follow(t, d, Request{PCAPNG: true})
	size, writes := f.reel.size(), f.reel.at.Load()
	f.reel.held.Lock()
	data := make([]byte, 1400)
	copy(data, ethernet)
	const packets = 20000 // 28 MB into 8 MiB
	for n := range packets {
		c.Append([]packet.Packet{{Time: second(0) + int64(n), Interface: eth, Data: data, OrigLen: 1400}})
		if n == 0 {
			eventually(t, "it is stuck", func() bool { return f.reel.at.Load() > writes })
		}
	}
	f.reel.held.Unlock()
	f.more(t, size+1<<20)
	// The next packet tells of the gap before it.
	for n := range 2 {
		size = f.reel.size()
		put(c, eth, second(1+n), ethernet)
		f.more(t, size)
	}
	f.finish(t)
	if got := f.result; got.Missing == 0 || got.Packets+got.Missing != packets+2 {
		t.Errorf("%d packets came and %d are missing, of %d", got.Packets, got.Missing, packets+2)
	}
	if told := dropCounts(f.reel.file.Bytes()); told != f.result.Missing {
		t.Errorf("the packets of the file tell of %d that are missing, the result of %d", told, f.result.Missing)
	}
}

// dropCounts adds up the drop counts of a little-endian pcapng's packets (option 4
// of block type 6).
func dropCounts(file []byte) (sum uint64) {
	for len(file) >= 12 {
		kind, length := binary.LittleEndian.Uint32(file), binary.LittleEndian.Uint32(file[4:])
		block := file[:length]
		file = file[length:]
		if kind != 6 {
			continue
		}
		options := block[28+(binary.LittleEndian.Uint32(block[20:])+3)&^3 : length-4]
		for len(options) >= 4 {
			code, n := binary.LittleEndian.Uint16(options), binary.LittleEndian.Uint16(options[2:])
			if code == 4 {
				sum += binary.LittleEndian.Uint64(options[4:])
			}
			options = options[4+(n+3)&^3:]
		}
	}
	return sum
}

func TestFollowUntil(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	var now sync.Map
	now.Store(0, second(1))
	d.now = func() int64 { at, _ := now.Load(0); return at.(int64) }
	eth := announce(t, c, "eth0", packet.LinkTypeEthernet)
	f := follow(t, d, Request{Query: QueryBetween(time.Time{}, time.Unix(0, second(5)))})
	put(c, eth, second(4), ethernet)
	f.more(t, 24)
	now.Store(0, second(5))
	put(c, eth, second(6), ethernet)
	put(c, eth, second(5), ethernet) // late
	now.Store(0, second(7))
	f.wait(t)
	if got := parse(t, f.reel.file.Bytes()); f.err != nil || len(got.packets) != 2 || got.packets[1].Time != second(5) {
		t.Errorf("%d packets, %v", len(got.packets), f.err)
	}
}

func TestFollowLimit(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	eth := announce(t, c, "eth0", packet.LinkTypeEthernet)
	f := follow(t, d, Request{Limit: 100})
	for n := range 10 {
		put(c, eth, second(n), ethernet)
	}
	f.wait(t)
	if f.err != nil || !f.result.LimitReached || f.result.Packets != 2 || f.reel.size() > 100 || f.result.Missing != 0 {
		t.Errorf("%v, %+v", f.err, f.result)
	}
}
