package seal

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// benchmarked is a cache of 32 MiB of segments, half of them compressed.
func benchmarked() *sample {
	r := rand.New(rand.NewPCG(40, 1))
	s := newSample(r)
	s.head.State.Logs = make([]record.Log, 8)
	data := make([]byte, 1400)
	for total := 0; total < 32<<20; {
		var list []cached
		for i := range 60 {
			for at := range data {
				data[at] = byte(r.Uint32N(16))
			}
			at := day.UnixNano() + int64(total+i)*1000
			list = append(list, cached{Packet: packet.Packet{Time: at, Data: bytes.Clone(data), OrigLen: uint32(len(data))}})
		}
		seg := pack(list, len(s.segments)%2 == 0)
		seg.Log = len(s.segments) % 8
		total += len(seg.Data)
		s.segments = append(s.segments, seg)
	}
	return s
}

func (s *sample) size() (n int64) {
	for i := range s.segments {
		n += int64(len(s.segments[i].Data))
	}
	return n
}

// BenchmarkWriter seals; age encrypts the same bytes and does nothing else.
func BenchmarkWriter(b *testing.B) {
	s, k := benchmarked(), newKeys(b)
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(s.size())
		for b.Loop() {
			w, err := NewWriter(io.Discard, k.name(), k.recipients(), &s.head)
			for i := 0; err == nil && i < len(s.segments); i++ {
				err = w.Segment(&s.segments[i])
			}
			if err == nil {
				err = w.Close(End{})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("age", func(b *testing.B) {
		b.SetBytes(s.size())
		for b.Loop() {
			w, err := age.Encrypt(io.Discard, k.recipients()...)
			for i := 0; err == nil && i < len(s.segments); i++ {
				_, err = w.Write(s.segments[i].Data)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReader reads all segments; age decrypts the same file. The others unpack
// them besides: for verify, and in the order of time.
func BenchmarkReader(b *testing.B) {
	s, k := benchmarked(), newKeys(b)
	file := bytes.NewReader(s.seal(b, k))
	run := func(name string, read func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(s.size())
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("seal", func() error {
		r, err := NewReader(file, k.machine)
		var seg record.Segment
		for err == nil {
			err = r.Next(&seg)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	run("age", func() error {
		r, err := age.Decrypt(io.NewSectionReader(file, 0, file.Size()), k.machine)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	})
	run("verify", func() error {
		report, err := Verify(file, nil, k.machine)
		if err == nil && !report.Good() {
			err = report.Strangest
		}
		return err
	})
	run("packets", func() error {
		f, err := Open(file, nil, k.machine)
		if err != nil {
			return err
		}
		p, err := f.Packets(math.MinInt64, math.MaxInt64)
		if err != nil {
			return err
		}
		defer p.Close()
		var pkt packet.Packet
		for p.Next(&pkt) {
			continue
		}
		_, err = p.Lost()
		return err
	})
}
