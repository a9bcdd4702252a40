package cache

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// BenchmarkAppendCompressing appends in turns to a cache that compresses beside
// and to one that does not, while all processors are busy. "x-plain" is the
// median ratio of the time on the wall, since waiting counts, too.
func BenchmarkAppendCompressing(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, size := range []int{1500, 64} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			var stop atomic.Bool
			defer stop.Store(true)
			for range runtime.NumCPU() - 1 {
				go func() {
					for !stop.Load() {
					}
				}()
			}
			packets := newWalker(size, 1000)
			fill := func(compress bool) *Cache {
				c, err := New(Options{Bytes: 256 << 20, Bias: 2, Compress: compress})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = c.Close() })
				if _, err := c.Interface(packet.Interface{Name: "bench", LinkType: packet.LinkTypeEthernet}); err != nil {
					b.Fatal(err)
				}
				for n := 0; n < 512<<20; n += len(packets.batch) * size {
					c.Append(packets.next())
				}
				settle(c)
				return c
			}
			plain, compressing := fill(false), fill(true)
			turn := func(c *Cache) time.Duration {
				begun := time.Now()
				for range 128 {
					c.Append(packets.next())
				}
				return time.Since(begun)
			}
			var ratios []float64
			for b.Loop() {
				without := turn(plain)
				ratios = append(ratios, float64(turn(compressing))/float64(without))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ratios), "x-plain")
		})
	}
}
