package seal

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

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

// beside measures one way of doing something, and beside it another, in turns, so
// that other work on the machine falls on both: x-age is the median of how many
// times as fast the first is.
func beside(b *testing.B, bytes int64, ours, theirs func() error) {
	b.Helper()
	b.SetBytes(bytes)
	var ratios []float64
	for b.Loop() {
		begun := time.Now()
		if err := ours(); err != nil {
			b.Fatal(err)
		}
		took := time.Since(begun)
		b.StopTimer()
		begun = time.Now()
		if err := theirs(); err != nil {
			b.Fatal(err)
		}
		ratios = append(ratios, float64(time.Since(begun))/float64(took))
		b.StartTimer()
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-age")
}

// BenchmarkWriter seals; age encrypts the same bytes and does nothing else.
func BenchmarkWriter(b *testing.B) {
	s, k := benchmarked(), newKeys(b)
	beside(b, s.size(), func() error {
		w, err := NewWriter(io.Discard, k.name(), k.recipients(), &s.head)
		for i := 0; err == nil && i < len(s.segments); i++ {
			err = w.Segment(&s.segments[i])
		}
		if err == nil {
			err = w.Close(End{})
		}
		return err
	}, func() error {
		w, err := age.Encrypt(io.Discard, k.recipients()...)
		for i := 0; err == nil && i < len(s.segments); i++ {
			_, err = w.Write(s.segments[i].Data)
		}
		if err == nil {
			err = w.Close()
		}
		return err
	})
}

// BenchmarkReader reads all segments; age decrypts the same file and does nothing
// else. The others unpack them besides: for verify, and in the order of time.
func BenchmarkReader(b *testing.B) {
	s, k := benchmarked(), newKeys(b)
	file := bytes.NewReader(s.seal(b, k))
	bare := func() error {
		r, err := age.Decrypt(io.NewSectionReader(file, 0, file.Size()), k.machine)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	}
	for _, c := range []struct {
		name string
		read func() error
	}{
		{"segments", func() error {
			r, err := NewReader(file, k.machine)
			var seg record.Segment
			for err == nil {
				err = r.Next(&seg)
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}},
		{"verify", func() error {
			report, err := Verify(file, nil, k.machine)
			if err == nil && !report.Good() {
				err = report.Strangest
			}
			return err
		}},
		{"packets", func() error {
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
		}},
	} {
		b.Run(c.name, func(b *testing.B) { beside(b, s.size(), c.read, bare) })
	}
}
