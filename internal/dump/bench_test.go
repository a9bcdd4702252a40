package dump

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

const benchBytes = 1 << 30

// fullCache is a cache of 1 GiB, full of TCP sessions of all lengths.
func fullCache(b *testing.B, size int) *cache.Cache {
	b.Helper()
	c, err := cache.New(cache.Options{Bytes: benchBytes, Bias: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := c.Interface(packet.Interface{Name: "bench", LinkType: packet.LinkTypeEthernet}); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, size)
	copy(data[12:], []byte{8, 0, 0x45})
	data[23] = 6
	now := int64(1.8e18)
	var batch [64]packet.Packet
	for n := 0; n < benchBytes*5/4; n += len(batch) * size {
		for i := range batch {
			own := append([]byte(nil), data...)
			flow := uint32(n / size / 20000 * 64)
			binary.BigEndian.PutUint32(own[26:], flow+uint32(i))
			binary.BigEndian.PutUint32(own[30:], 0xc0a80001)
			now += 12000
			batch[i] = packet.Packet{Time: now, Data: own, OrigLen: uint32(size)}
		}
		c.Append(batch[:])
	}
	return c
}

// noFacts is a Facts that knows nothing.
type noFacts struct{}

func (noFacts) Section() pcapio.Section { return pcapio.Section{} }
func (noFacts) Counters() func(packet.InterfaceID) (received, dropped uint64) {
	return func(packet.InterfaceID) (received, dropped uint64) { return 0, 0 }
}

// discard is a client that takes all at once.
type discard struct{ io.Writer }

func (discard) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkDump dumps a full cache of 1 GiB; beside it, what copying 1 GiB
// within memory takes, and sending it over a bare socket.
func BenchmarkDump(b *testing.B) {
	b.Run("memcpy", func(b *testing.B) {
		from, to := make([]byte, benchBytes), make([]byte, benchBytes)
		for i := range from {
			from[i] = byte(i) // or all of it would be one page of zeros
		}
		copy(to, from)
		b.SetBytes(benchBytes)
		for b.Loop() {
			copy(to, from)
		}
	})
	b.Run("bare socket", func(b *testing.B) {
		buf := make([]byte, bufferSize)
		b.SetBytes(benchBytes)
		for b.Loop() {
			w, wait := socket(b)
			for n := 0; n < benchBytes; n += len(buf) {
				if _, err := w.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			_ = w.Close()
			wait()
		}
	})
	for _, size := range []int{1500, 370} {
		c := fullCache(b, size)
		d := New(c, noFacts{})
		name := map[int]string{1500: "1500B", 370: "370B"}[size]
		for _, format := range []string{"pcap", "pcapng"} {
			req := Request{Query: cache.All, PCAPNG: format == "pcapng"}
			b.Run(format+"/"+name+"/discard", func(b *testing.B) {
				for b.Loop() {
					r, err := d.Dump(context.Background(), req, discard{io.Discard})
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(r.Bytes)
				}
			})
			b.Run(format+"/"+name+"/socket", func(b *testing.B) {
				for b.Loop() {
					w, wait := socket(b)
					r, err := d.Dump(context.Background(), req, w)
					if err != nil {
						b.Fatal(err)
					}
					_ = w.Close()
					wait()
					b.SetBytes(r.Bytes)
				}
			})
		}
	}
}

// BenchmarkFirstByte is how long it takes until a dump of a full cache of 1 GiB
// has written its header, and until the first packets follow.
func BenchmarkFirstByte(b *testing.B) {
	c := fullCache(b, 1500)
	d := New(c, noFacts{})
	for _, pcapng := range []bool{false, true} {
		b.Run(map[bool]string{false: "pcap", true: "pcapng"}[pcapng], func(b *testing.B) {
			var header, packets time.Duration
			for b.Loop() {
				w := &stopwatch{begun: time.Now()}
				_, _ = d.Dump(context.Background(), Request{Query: cache.All, PCAPNG: pcapng}, w)
				header, packets = header+w.header, packets+w.packets
			}
			b.ReportMetric(float64(header.Nanoseconds())/float64(b.N), "ns/header")
			b.ReportMetric(float64(packets.Nanoseconds())/float64(b.N), "ns/packets")
		})
	}
}

// A stopwatch takes the times of the first two writes and refuses the second.
type stopwatch struct {
	begun           time.Time
	header, packets time.Duration
}

func (w *stopwatch) Write(p []byte) (int, error) {
	if w.header == 0 {
		w.header = time.Since(w.begun)
		return len(p), nil
	}
	w.packets = time.Since(w.begun)
	return 0, io.ErrClosedPipe
}

func (*stopwatch) SetWriteDeadline(time.Time) error { return nil }

// socket is a connection to a client that reads and forgets; wait returns when
// it has seen the end.
func socket(b *testing.B) (w net.Conn, wait func()) {
	b.Helper()
	ln, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := net.Dial("unix", ln.Addr().String())
		if err != nil {
			done <- err
			return
		}
		buf := make([]byte, 256<<10)
		for err == nil {
			_, err = conn.Read(buf)
		}
		done <- conn.Close()
	}()
	if w, err = ln.Accept(); err != nil {
		b.Fatal(err)
	}
	return w, func() {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
