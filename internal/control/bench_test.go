package control

import (
	"context"
	"io"
	"testing"

	"github.com/packetcache/packetcache/internal/ipc"
)

const (
	benchBytes = 1 << 30
	benchWrite = 256 << 10
)

// BenchmarkDump sends 1 GiB to a client that discards it, once through the
// endpoint and once through a bare connection of the same kind.
func BenchmarkDump(b *testing.B) {
	buf := make([]byte, benchWrite)
	send := func(w io.Writer) error {
		for range benchBytes / benchWrite {
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		return nil
	}
	b.Run("endpoint", func(b *testing.B) {
		dir, _ := serve(b, &fakeService{dump: func(_ context.Context, _ DumpRequest, _ ipc.Peer, w DumpWriter) (DumpResult, error) {
			return DumpResult{}, send(w)
		}})
		c := client(b, dir)
		b.SetBytes(benchBytes)
		for b.Loop() {
			if _, err := c.Dump(b.Context(), DumpRequest{}, io.Discard, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		dir := endpointDir(b)
		ln, err := ipc.Listen(ipc.Dump, ipc.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_ = send(c)
				_ = c.Close()
			}
		}()
		in := make([]byte, dumpBuffer)
		b.SetBytes(benchBytes)
		for b.Loop() {
			c, err := ipc.Dial(b.Context(), ipc.Dump, dir)
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := c.Read(in); err != nil {
					break
				}
			}
			_ = c.Close()
		}
	})
}
