package cache

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// benchPackets makes a ring of batches of TCP packets of a size, spread over
// flows; the packets of a batch belong to different sessions.
func benchPackets(size, flows, packets int) [][]packet.Packet {
	const batch = 256
	var batches [][]packet.Packet
	arena := make([]byte, packets*size)
	flow := 0
	for at := 0; at < packets; at += batch {
		b := make([]packet.Packet, batch)
		for i := range b {
			data := arena[(at+i)*size:][:size:size]
			copy(data[12:], []byte{8, 0, 0x45})
			binary.BigEndian.PutUint16(data[16:], uint16(size-14))
			data[23] = 6
			binary.BigEndian.PutUint32(data[26:], 0x0a000000+uint32(flow))
			binary.BigEndian.PutUint32(data[30:], 0xc0a80001)
			binary.BigEndian.PutUint16(data[34:], uint16(1024+flow%60000))
			binary.BigEndian.PutUint16(data[36:], 443)
			data[47] = tcpACK
			b[i] = packet.Packet{Data: data, OrigLen: uint32(size)}
			// A stride that is coprime to the number of flows.
			flow = (flow + 7919) % flows
		}
		batches = append(batches, b)
	}
	return batches
}

const tcpACK = 0x10

func BenchmarkAppend(b *testing.B) {
	for _, bench := range []struct {
		size, flows, packets, budget int
	}{
		{1500, 1000, 1 << 15, 1 << 30},
		{64, 1000, 1 << 16, 1 << 30},
		{64, 1000000, 1000000 / 256 * 256, 4 << 30},
	} {
		batches := benchPackets(bench.size, bench.flows, bench.packets)
		name := fmt.Sprintf("%dB-%dsessions", bench.size, bench.flows)
		b.Run("copy/"+name, func(b *testing.B) {
			region := make([]byte, bench.budget)
			for i := 0; i < len(region); i += 4096 {
				region[i] = 1
			}
			at := 0
			b.SetBytes(int64(bench.size))
			b.ResetTimer()
			for i := 0; i < b.N; {
				for _, p := range batches[i/256%len(batches)] {
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
			id, err := c.Interface(packet.Interface{Name: "bench", LinkType: packet.LinkTypeEthernet})
			if err != nil {
				b.Fatal(err)
			}
			now := int64(1.8e18)
			feed := func(batch []packet.Packet) {
				for i := range batch {
					now += 700
					batch[i].Time, batch[i].Interface = now, id
				}
				c.Append(batch)
			}
			// Fill it first: a cache at work is full.
			for n := 0; n < bench.budget+bench.budget/4; {
				for _, batch := range batches {
					feed(batch)
					n += len(batch) * bench.size
				}
			}
			before := c.Stats()
			b.SetBytes(int64(bench.size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += 256 {
				feed(batches[i/256%len(batches)])
			}
			b.StopTimer()
			after := c.Stats()
			seen := after.Seen.Packets - before.Seen.Packets
			b.ReportMetric(100*float64(seen-(after.Sessions.Seen-before.Sessions.Seen))/float64(seen), "%hit")
		})
	}
}
