package cache

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
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

func BenchmarkAppend(b *testing.B) {
	// The collector would run against the memory of the copy loop for long.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, bench := range []struct {
		size, flows, budget int
	}{
		{1500, 1000, 1 << 30},
		{64, 1000, 1 << 30},
		{64, 1000000, 4 << 30},
	} {
		packets := newWalker(bench.size, bench.flows)
		name := fmt.Sprintf("%dB-%dsessions", bench.size, bench.flows)
		b.Run("copy/"+name, func(b *testing.B) {
			region := make([]byte, bench.budget)
			for i := 0; i < len(region); i += 4096 {
				region[i] = 1
			}
			at := 0
			b.SetBytes(int64(bench.size))
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ResetTimer()
			start := threadTime(b)
			defer func() { b.ReportMetric(float64(threadTime(b)-start)/float64(b.N), "cpu-ns/op") }()
			for i := 0; i < b.N; {
				for _, p := range packets.next() {
					if at+len(p.Data) > len(region) {
						at = 0
					}
					at += copy(region[at:], p.Data)
					i++
				}
			}
		})
		b.Run("append/"+name, func(b *testing.B) {
			c, err := New(Options{Bytes: bench.budget, Bias: 2})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Interface(packet.Interface{Name: "bench", LinkType: packet.LinkTypeEthernet}); err != nil {
				b.Fatal(err)
			}
			// Fill it first: a cache at work is full.
			for n := 0; n < bench.budget*5/4; n += 256 * bench.size {
				c.Append(packets.next())
			}
			settle(c)
			before := c.Stats()
			b.SetBytes(int64(bench.size))
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ResetTimer()
			start := threadTime(b)
			for i := 0; i < b.N; i += 256 {
				c.Append(packets.next())
			}
			b.StopTimer()
			b.ReportMetric(float64(threadTime(b)-start)/float64(b.N), "cpu-ns/op")
			after := c.Stats()
			seen := after.Seen.Packets - before.Seen.Packets
			b.ReportMetric(100*float64(seen-(after.Sessions.Seen-before.Sessions.Seen))/float64(seen), "%hit")
		})
	}
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
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
