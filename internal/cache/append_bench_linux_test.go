package cache

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// A walker hands out packets as a capture ring does: the bytes stand in a
// block of 64 MiB, one batch of descriptions is used again and again. The
// packets of a batch belong to different sessions.
type walker struct {
	block []byte
	size  int
	at    int
	now   int64
	batch [256]packet.Packet
}

func newWalker(size, flows int) *walker {
	w := &walker{block: make([]byte, 64<<20), size: size, now: 1.8e18}
	flow := 0
	for at := 0; at+size <= len(w.block); at += size {
		data := w.block[at:][:size]
		copy(data[12:], []byte{8, 0, 0x45})
		binary.BigEndian.PutUint16(data[16:], uint16(size-14))
		data[23] = 6
		binary.BigEndian.PutUint32(data[26:], 0x0a000000+uint32(flow))
		binary.BigEndian.PutUint32(data[30:], 0xc0a80001)
		binary.BigEndian.PutUint16(data[34:], uint16(1024+flow%60000))
		binary.BigEndian.PutUint16(data[36:], 443)
		data[47] = tcpACK
		// A stride that is coprime to the number of flows.
		flow = (flow + 7919) % flows
	}
	return w
}

func (w *walker) next() []packet.Packet {
	for i := range w.batch {
		if w.at+w.size > len(w.block) {
			w.at = 0
		}
		w.now += 700
		w.batch[i] = packet.Packet{Time: w.now, Data: w.block[w.at:][:w.size], OrigLen: uint32(w.size)}
		w.at += w.size
	}
	return w.batch[:]
}

// BenchmarkAppend measures appending in turns with plain copying, so that what
// else the machine does meanwhile falls on both. The figures are medians over
// the turns, in nanoseconds of CPU time a packet; "x-copy" is their ratio.
func BenchmarkAppend(b *testing.B) {
	// The collector would run against the memory of the copy loop for long.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, bench := range []struct {
		size, flows, budget, rules int
	}{
		{1500, 1000, 1 << 30, 0},
		{1500, 1000, 1 << 30, MaxRules},
		{64, 1000, 1 << 30, 0},
		{64, 1000, 1 << 30, MaxRules},
		{64, 1000000, 4 << 30, 0},
	} {
		b.Run(fmt.Sprintf("%dB-%dsessions-%drules", bench.size, bench.flows, bench.rules), func(b *testing.B) {
			packets := newWalker(bench.size, bench.flows)
			c := fullCache(b, bench.budget, packets, bench.rules)
			region := copier{region: make([]byte, bench.budget)}
			for at := 0; at < len(region.region); at += 4096 {
				region.region[at] = 1
			}
			before := c.Stats()
			var appends, copies, ratios []float64
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			for b.Loop() {
				appended := packets.turn(b, c.Append)
				copied := packets.turn(b, region.copy)
				b.StopTimer()
				appends, copies = append(appends, appended), append(copies, copied)
				ratios = append(ratios, appended/copied)
				b.StartTimer()
			}
			b.ReportMetric(0, "ns/op") // of a turn: nothing to compare
			b.ReportMetric(median(appends), "append-ns")
			b.ReportMetric(median(copies), "copy-ns")
			b.ReportMetric(median(ratios), "x-copy")
			after := c.Stats()
			seen := after.Seen.Packets - before.Seen.Packets
			b.ReportMetric(100*float64(seen-(after.Sessions.Seen-before.Sessions.Seen))/float64(seen), "%hit")
		})
	}
}

// fullCache is filled first, as a cache at work is.
func fullCache(b *testing.B, budget int, packets *walker, rules int) *Cache {
	c, err := New(Options{Bytes: budget, Bias: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := c.Interface(packet.Interface{Name: "bench", LinkType: packet.LinkTypeEthernet}); err != nil {
		b.Fatal(err)
	}
	var list []Rule
	for i := range rules { // each of a factor of its own
		list = append(list, every(fmt.Sprint(i), 1.5+float64(i), uint32(rules)+1, uint32(i)))
	}
	if err := c.SetRules(list); err != nil {
		b.Fatal(err)
	}
	for n := 0; n < budget*5/4; n += len(packets.batch) * packets.size {
		c.Append(packets.next())
	}
	settle(c)
	return c
}

// turn has some batches taken and returns the CPU time in nanoseconds a packet.
func (w *walker) turn(b *testing.B, take func([]packet.Packet)) float64 {
	const batches = 128
	start := threadTime(b)
	for range batches {
		take(w.next())
	}
	return float64(threadTime(b)-start) / float64(batches*len(w.batch))
}

// A copier does nothing but copy.
type copier struct {
	region []byte
	at     int
}

func (c *copier) copy(packets []packet.Packet) {
	for i := range packets {
		data := packets[i].Data
		if c.at+len(data) > len(c.region) {
			c.at = 0
		}
		c.at += copy(c.region[c.at:], data)
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// settle waits until a cache has all its memory, and in huge pages, as one has
// that has been running for some minutes: none of that work is in the figures.
func settle(c *Cache) {
	for _, part := range c.store.parts() {
		for more := true; more; {
			_, more = part.Populate(8 << 20)
		}
		_ = unix.Madvise(part.Bytes()[:len(part.Bytes())&^4095], unix.MADV_COLLAPSE) // older kernels have it not
	}
}

// threadTime is the CPU time of the calling thread in nanoseconds, which a
// busy machine distorts less than the time on the wall.
func threadTime(b *testing.B) int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		b.Fatal(err)
	}
	return now.Nano()
}
