package pcapio

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

var benchSizes = []int{64, 1500}

// BenchmarkRead reads files of 16 MiB from memory, so bytes per second is how
// fast the format can be taken apart.
func BenchmarkRead(b *testing.B) {
	for _, size := range benchSizes {
		p := packet.Packet{Data: make([]byte, size), OrigLen: uint32(size), Direction: packet.Inbound}
		pcap := AppendHeader(nil, packet.LinkTypeEthernet)
		ng := AppendInterface(AppendSection(nil, &Section{}), &packet.Interface{LinkType: packet.LinkTypeEthernet})
		packets := 16 << 20 / size
		for range packets {
			pcap = AppendRecord(pcap, &p)
			ng = AppendPacket(ng, &p, 0)
		}
		for _, format := range []struct {
			name string
			file []byte
		}{{"pcap", pcap}, {"pcapng", ng}} {
			b.Run(fmt.Sprintf("%s/%dB", format.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(format.file)))
				batch := make([]packet.Packet, 256)
				for b.Loop() {
					r, err := NewReader(bytes.NewReader(format.file))
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = r.Batch(batch)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
			})
		}
	}
}

// BenchmarkAppend formats packets into a buffer of 1 MiB, over and over.
func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 1<<20)
	for _, size := range benchSizes {
		p := packet.Packet{Time: 1_700_000_000_123_456_789, Data: make([]byte, size), OrigLen: uint32(size), Direction: packet.Inbound}
		p.Data = append(p.Data[:0], ip4...)[:size]
		for name, add := range map[string]func([]byte) []byte{
			"pcap":     func(buf []byte) []byte { return AppendRecord(buf, &p) },
			"pcapng":   func(buf []byte) []byte { return AppendPacket(buf, &p, 0) },
			"Ethernet": func(buf []byte) []byte { return AppendRecordAs(buf, &p, packet.LinkTypeRaw, packet.LinkTypeEthernet) },
			"PPI":      func(buf []byte) []byte { return AppendRecordAs(buf, &p, packet.LinkTypeRaw, packet.LinkTypePPI) },
		} {
			b.Run(fmt.Sprintf("%s/%dB", name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					if len(buf) > 1<<20-2000 {
						buf = buf[:0]
					}
					buf = add(buf)
				}
			})
		}
	}
}
