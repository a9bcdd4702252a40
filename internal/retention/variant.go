package retention

import (
	"errors"
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// A Variant is a way to keep packets in a fixed amount of memory.
type Variant struct {
	Name string
	// Keep goes through a trace with a budget in bytes. It returns which of its
	// packets are left, and what that cost; see Result.CPU.
	Keep func(t trace.Trace, x *trace.Index, budget int) (present []bool, cpu time.Duration, err error)
}

// Variants are those that a study compares: the cache as it is shipped comes
// last.
func Variants(bias float64) []Variant {
	return []Variant{
		{"plain ring", keepRing(trace.Everything)},
		{"first 15 KB of each", keepRing(15_000)},
		{"truncation alone", keepCache(cache.Options{Bias: bias})},
		{"PacketCache", keepCache(cache.Options{Bias: bias, Compress: true})},
	}
}

// Biases are those that a choice of the default is made among.
var Biases = []float64{1, 1.5, 2, 2.5, 3, 4}

// Sweep is the cache as it is shipped, but for the bias.
func Sweep(biases []float64) (variants []Variant) {
	for _, bias := range biases {
		variants = append(variants, Variant{fmt.Sprintf("bias %v", bias), keepCache(cache.Options{Bias: bias, Compress: true})})
	}
	return variants
}

// recordHeader is what a packet takes in a ring beside its data, as in a pcap.
const recordHeader = 16

// keepRing keeps the newest packets that fit, of those that lie within the
// first bytes of their session: of all sessions' beginnings, as the Time Machine
// of Kornexl and others did (IMC 2005), or of everything, as tcpdump does with a
// ring of files.
func keepRing(cutoff uint64) func(trace.Trace, *trace.Index, int) ([]bool, time.Duration, error) {
	return func(_ trace.Trace, x *trace.Index, budget int) ([]bool, time.Duration, error) {
		present := make([]bool, len(x.Packets))
		for i := len(x.Packets) - 1; i >= 0; i-- {
			p := &x.Packets[i]
			if p.Offset >= cutoff {
				continue
			}
			if budget -= recordHeader + int(p.Length); budget < 0 {
				break
			}
			present[i] = true
		}
		return present, 0, nil
	}
}

// keepCache puts everything through a cache.
func keepCache(o cache.Options) func(trace.Trace, *trace.Index, int) ([]bool, time.Duration, error) {
	return func(t trace.Trace, x *trace.Index, budget int) (present []bool, cpu time.Duration, err error) {
		o.Bytes = budget
		c, err := cache.New(o)
		if err != nil {
			return nil, 0, err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		if cpu, err = replay(t, c); err != nil {
			return nil, 0, err
		}
		present, err = x.Present(contents(c))
		return present, cpu, err
	}
}

// replay puts a trace into a cache and returns the CPU time that the process
// took for that, without reading the trace.
func replay(t trace.Trace, c *cache.Cache) (cpu time.Duration, err error) {
	var numbers []packet.InterfaceID // that the cache gave
	err = trace.Each(t, func(interfaces []packet.Interface, packets []packet.Packet) error {
		for _, i := range interfaces[len(numbers):] {
			id, err := c.Interface(i)
			if err != nil {
				return err
			}
			numbers = append(numbers, id)
		}
		for i := range packets {
			packets[i].Interface = numbers[packets[i].Interface]
		}
		before := processTime()
		c.Replay(packets)
		cpu += processTime() - before
		return nil
	})
	return cpu, err
}

// contents reads a cache packet by packet.
func contents(c *cache.Cache) func(*packet.Packet) bool {
	r := c.NewReader()
	r.Begin(cache.All)
	batch := make([]packet.Packet, 256)
	at, n := 0, 0
	return func(p *packet.Packet) bool {
		if at == n {
			if at, n = 0, r.Read(batch); n == 0 {
				return false
			}
		}
		*p = batch[at]
		at++
		return true
	}
}
