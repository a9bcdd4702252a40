package dump

import (
	"context"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/trace"
)

// BenchmarkDumpCompressed dumps the trace of the corpus from a cache that holds
// all of it compressed, and from one that does not compress; beside them, what
// unpacking as many bytes takes that stand in frames of 128 KiB.
func BenchmarkDumpCompressed(b *testing.B) {
	file, err := trace.Corpus("../..", "office-dev.pcap.zst")
	if err != nil {
		b.Skip(err)
	}
	for _, compress := range []bool{false, true} {
		c, err := cache.New(cache.Options{Bytes: 128 << 20, Bias: 2, Compress: compress})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		replay(b, file, c)
		d := New(c, noFacts{})
		b.Run(map[bool]string{false: "as it came", true: "compressed"}[compress], func(b *testing.B) {
			for b.Loop() {
				r, err := d.Dump(context.Background(), Request{Query: cache.All}, discard{io.Discard})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(r.Bytes)
			}
		})
	}
	b.Run("zstd", func(b *testing.B) {
		frames, size := framesOf(b, file)
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			b.Fatal(err)
		}
		defer decoder.Close()
		buf := make([]byte, 0, 128<<10)
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, frame := range frames {
				if _, err := decoder.DecodeAll(frame, buf); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func replay(b *testing.B, file trace.File, c *cache.Cache) {
	b.Helper()
	err := trace.Each(file, func(interfaces []packet.Interface, packets []packet.Packet) error {
		_, err := c.Interface(interfaces[0])
		c.Replay(packets)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// framesOf are the captured bytes of a trace, compressed.
func framesOf(b *testing.B, file trace.File) (frames [][]byte, size int) {
	b.Helper()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	var raw []byte
	err = trace.Each(file, func(_ []packet.Interface, packets []packet.Packet) error {
		for i := range packets {
			raw = append(raw, packets[i].Data...)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for at := 0; at < len(raw); at += 128 << 10 {
		frames = append(frames, encoder.EncodeAll(raw[at:min(at+128<<10, len(raw))], nil))
	}
	return frames, len(raw)
}
