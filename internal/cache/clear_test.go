package cache

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

const marker = "this must not be found"

// TestClear: nothing is left in memory of what there was, also of what had gone
// before. A reader at work shows nothing more; the cache goes on.
func TestClear(t *testing.T) {
	for _, compress := range []bool{false, true} {
		tp := newTape(t, Options{Bytes: 40 << 20, Bias: 2, Compress: compress})
		fill := func(n int) {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for i := range n {
				k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i / 2)}
				if i%10 == 0 {
					k.n = uint32(1e6 + i) // which nobody answers
				}
				data := k.appendTo(nil, i%2 == 1, 0, 500+random.IntN(900), uint64(i))
				copy(data[100:], marker)
				tp.now += int64(time.Millisecond)
				tp.boot += int64(time.Millisecond)
				tp.c.Append([]packet.Packet{{Time: tp.now, Data: data}})
				if compress && i%100 == 0 {
					tp.c.tendNext()
				}
			}
		}
		fill(60000)
		readers := []*Reader{tp.c.NewReader(), tp.c.NewReader()}
		var batch [20]packet.Packet
		for _, r := range readers {
			r.Begin(All)
			if n := r.Read(batch[:]); n == 0 {
				t.Fatal("nothing to read")
			}
		}
		readers[1].End()
		before := tp.c.Stats()
		if !tp.c.finds(marker) || before.Evicted.Packets == 0 || before.Sessions.Used == 0 || before.Unanswered.Held.Packets == 0 {
			t.Fatalf("nothing to be cleared: %+v", before)
		}

		tp.c.Clear()
		after := tp.c.Stats()
		checkStats(t, &after)
		tp.c.checkLogs(t)
		if after.Held() != (Count{}) || after.Evicted != before.Stored || after.Sessions.Used != 0 || after.Sessions.Summaries != 0 {
			t.Errorf("there are still %v packets, %v evicted of %v, %d sessions, %d summaries",
				after.Held(), after.Evicted, after.Stored, after.Sessions.Used, after.Sessions.Summaries)
		}
		if tp.c.finds(marker) {
			t.Error("there are still packets in memory")
		}
		for name, part := range map[string][]byte{"sessions": tp.c.store.live.Bytes(), "summaries": tp.c.store.ended.Bytes()} {
			if len(bytes.Trim(part, "\x00")) > 0 {
				t.Errorf("the memory of %s was not wiped", name)
			}
		}
		if age, complete := after.PromiseAnswered(0); complete || age > time.Second {
			t.Errorf("the last %v are promised, complete %v", age, complete)
		}
		r := readers[0]
		passed := r.passed
		if n := r.Read(batch[:]); n > 0 || r.Missing() != r.total-passed {
			t.Errorf("a reader at work still shows %d packets, and says that %d are missing", n, r.Missing())
		}
		for _, r := range readers {
			for _, cur := range r.spare {
				if bytes.Contains(cur.window[:cap(cur.window)], []byte(marker)) {
					t.Fatal("a reader still has packets in memory")
				}
			}
		}
		fill(3000)
		if got := showAll(t, tp.c); len(got) != 3000 {
			t.Errorf("%d packets of 3000 that came later", len(got))
		}
	}
}

// finds looks for a text in all memory that the cache has for packets.
func (c *Cache) finds(text string) bool {
	if bytes.Contains(c.store.contents.Bytes(), []byte(text)) || bytes.Contains(c.pipeline.moved[:], []byte(text)) {
		return true
	}
	for i := range c.decompressor.held {
		if h := &c.decompressor.held[i]; bytes.Contains(h.raw[:cap(h.raw)], []byte(text)) {
			return true
		}
	}
	z := c.compressor
	return z != nil && (bytes.Contains(z.raw, []byte(text)) || bytes.Contains(z.packed[:cap(z.packed)], []byte(text)))
}

// TestClearTwiceAndClosed: an empty cache can be cleared, and one that is closed.
func TestClearTwiceAndClosed(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2, Compress: true})
	tp.c.Clear()
	tp.c.Clear()
	if s := tp.c.Stats(); !s.Classes[0].Complete {
		t.Error("something was lost of an empty cache")
	}
	if err := tp.c.Close(); err != nil {
		t.Fatal(err)
	}
	tp.c.Clear()
}

// TestClearWhilePacketsCome: what came before is gone when Clear returns, whatever
// came meanwhile, moved, or was answered.
func TestClearWhilePacketsCome(t *testing.T) {
	c := newCache(t, Options{Bytes: 2 * smallBudget, Bias: 2, Compress: true})
	var serial atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		var batch [40]packet.Packet
		for !stop.Load() {
			for i := range batch {
				n := serial.Load() + int64(i)
				k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(n / 2 % 50000)}
				batch[i] = packet.Packet{Time: n, Data: k.appendTo(batch[i].Data[:0], n%7 == 1, 0, 200, uint64(n))}
			}
			c.Append(batch[:])
			serial.Add(int64(len(batch)))
		}
	})
	r := c.NewReader()
	var batch [100]packet.Packet
	for range 60 {
		for before := serial.Load(); serial.Load() < before+3000; {
			c.Stats()
		}
		before := serial.Load()
		c.Clear()
		r.Begin(All)
		for n := r.Read(batch[:]); n > 0; n = r.Read(batch[:]) {
			for _, p := range batch[:n] {
				if p.Time < before-int64(len(batch)) {
					t.Fatalf("packet %d is still there: %d had come when the cache was cleared", p.Time, before)
				}
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	c.checkLogs(t)
}
