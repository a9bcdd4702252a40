package dump

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// nothing is what a daemon knows that knows nothing.
type nothing struct{}

func (nothing) Section() pcapio.Section                      { return pcapio.Section{Application: "test"} }
func (nothing) Counters(packet.InterfaceID) (uint64, uint64) { return 0, 0 }

// discard takes everything at once.
type discard struct{}

func (discard) Write(p []byte) (int, error)      { return len(p), nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }

// fill fills a cache with packets of about n bytes, from 1000 sessions.
func fill(b *testing.B, bytes, n int) *cache.Cache {
	b.Helper()
	c, err := cache.New(cache.Options{Bytes: bytes, Bias: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	id, err := c.Interface(packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]packet.Packet, 256)
	for i := 0; i < bytes/n*5/4; {
		for j := range batch {
			batch[j] = packet.Packet{Time: int64(i) * 1000, Interface: id, Data: frame(i/2%1000, i%2 == 1, n), OrigLen: uint32(n)}
			i++
		}
		c.Append(batch)
	}
	return c
}

// frame is a TCP segment of a session, in one direction or the other.
func frame(session int, back bool, n int) []byte {
	b := make([]byte, n)
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45")
	b[16], b[17], b[22], b[23] = byte((n-14)>>8), byte(n-14), 64, 6
	from, to := b[26:30], b[30:34]
	ports := b[34:38]
	copy(from, []byte{10, 0, byte(session >> 8), byte(session)})
	copy(to, []byte{192, 0, 2, 1})
	copy(ports, []byte{4, 0, 1, 187})
	if back {
		copy(from, []byte{192, 0, 2, 1})
		copy(to, []byte{10, 0, byte(session >> 8), byte(session)})
		copy(ports, []byte{1, 187, 4, 0})
	}
	b[46], b[47] = 0x50, 0x10
	return b
}

// BenchmarkDump sends a full cache to a client that discards, and for
// comparison copies as much memory.
func BenchmarkDump(b *testing.B) {
	const bytes = 256 << 20
	b.Run("memcpy", func(b *testing.B) {
		from, to := make([]byte, bytes), make([]byte, bytes)
		b.SetBytes(bytes)
		for b.Loop() {
			copy(to, from)
		}
	})
	for _, n := range []int{200, 1500} {
		c := fill(b, bytes, n)
		for _, ng := range []bool{false, true} {
			req := Request{PCAPNG: ng, Query: cache.All}
			d := New(c, nothing{})
			b.Run(fmt.Sprintf("%d-byte packets/pcapng=%v/memory", n, ng), func(b *testing.B) {
				for b.Loop() {
					result, err := d.Dump(context.Background(), req, discard{})
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(result.Bytes)
				}
			})
		}
		b.Run(fmt.Sprintf("%d-byte packets/socket", n), func(b *testing.B) { benchSocket(b, New(c, nothing{})) })
	}
}

func benchSocket(b *testing.B, d *Dumper) {
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(b.TempDir(), "s"), Net: "unix"})
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	buf := make([]byte, 1<<20)
	for b.Loop() {
		client, err := net.DialUnix("unix", nil, ln.Addr().(*net.UnixAddr))
		if err != nil {
			b.Fatal(err)
		}
		conn, err := ln.AcceptUnix()
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.SetWriteBuffer(1 << 20)
		go func() {
			_, _ = d.Dump(context.Background(), Request{Query: cache.All}, patient{conn})
			_ = conn.Close()
		}()
		var total int64
		for {
			n, err := client.Read(buf)
			total += int64(n)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(total)
		_ = client.Close()
	}
}
