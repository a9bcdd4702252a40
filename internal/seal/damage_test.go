package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/packetcache/packetcache/internal/record"
)

// A layout says where the frames of a file end in its plaintext.
type layout struct {
	header int   // bytes of the age header and the salt
	head   int   // the end of the head
	ends   []int // of the segments
	end    int   // of all
}

func layoutOf(t *testing.T, s *sample, file []byte) layout {
	t.Helper()
	header, _, err := ReadHeader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	head, err := encodeHead(&s.head)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{header: len(header) + saltSize, head: len(magic) + frameHeader + len(head)}
	l.end = l.head
	for i := range s.segments {
		l.end += frameHeader + segmentHeader + len(s.segments[i].Data)
		l.ends = append(l.ends, l.end)
	}
	return l
}

// readable is how many segments can be read of a file of which that much of the
// plaintext is good, -1 if not even the head can.
func (l *layout) readable(good int) int {
	if good < l.head {
		return -1
	}
	n := 0
	for n < len(l.ends) && l.ends[n] <= good {
		n++
	}
	return n
}

// expect holds what is read of a damaged file, in order and at random, against
// what can be.
func (l *layout) expect(s *sample, k keys, file []byte, readable int) error {
	r, err := NewReader(bytes.NewReader(file), k.recovery)
	if readable < 0 {
		if err == nil {
			return errors.New("it opens")
		}
		return nil
	}
	if err != nil {
		return err
	}
	got, err := readAll(r)
	if !isDamage(err) || len(got) != readable {
		return fmt.Errorf("%d segments and %w, want %d", len(got), err, readable)
	}
	for i := range got {
		if !bytes.Equal(got[i].Data, s.segments[i].Data) || got[i].MinTime != s.segments[i].MinTime {
			return fmt.Errorf("segment %d has changed", i)
		}
	}
	f, err := Open(bytes.NewReader(file), int64(len(file)), nil, k.machine)
	if err != nil {
		return err
	}
	if f.Damage == nil || f.Found.Segments != readable {
		return fmt.Errorf("at random: %d segments, want %d: %w", f.Found.Segments, readable, f.Damage)
	}
	packets, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err != nil || uint64(len(packets)) != f.Found.Packets {
		return fmt.Errorf("%d of %d packets, %w", len(packets), f.Found.Packets, err)
	}
	if at := f.Damage.FileOffset; at < 0 || at > int64(len(file)) {
		return fmt.Errorf("it is said to be damaged at %d of %d", at, len(file))
	}
	return nil
}

// steps are the places to damage: all of the header and of the first chunk's
// beginning, those around the ends of chunks, and some of all others.
func steps(l layout, length int) (at []int) {
	for i := 0; i < length; i++ {
		off := (i - l.header + 3*sealedChunk) % sealedChunk
		near := off < 3 || off > sealedChunk-3 || off > chunkSize-3 && off < chunkSize+3
		if i < 8 || i%61 == 0 && i < l.header+1000 || near && i > l.header-5 || i > length-3 || i%9973 == 0 {
			at = append(at, i)
		}
	}
	return at
}

// Of a file that ends anywhere, all chunks that are whole can be read.
func TestTruncated(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(9, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	l := layoutOf(t, s, file)
	if len(file) < 2*sealedChunk {
		t.Fatalf("the file has %d bytes only", len(file))
	}
	for _, n := range steps(l, len(file)) {
		good := max(n-l.header, -1) / sealedChunk * chunkSize
		if n < l.header {
			good = -1
		}
		if err := l.expect(s, k, file[:n], l.readable(good)); err != nil {
			t.Errorf("cut at %d of %d: %v", n, len(file), err)
		}
	}
}

// Where a bit has changed, all chunks before can be read.
func TestFlippedBits(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(10, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	l := layoutOf(t, s, file)
	for _, n := range steps(l, len(file)) {
		good := -1
		if n >= l.header {
			good = (n - l.header) / sealedChunk * chunkSize
		}
		for bit := range 8 {
			file[n] ^= 1 << bit
			if err := l.expect(s, k, file, l.readable(good)); err != nil {
				t.Errorf("bit %d of byte %d of %d: %v", bit, n, len(file), err)
			}
			file[n] ^= 1 << bit
			if n > l.header {
				break // one bit is as any other there
			}
		}
	}
}

// What is put behind a file is noticed, and costs nothing.
func TestTrailing(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(11, 1)), 5)
	k := newKeys(t)
	l := layoutOf(t, s, s.seal(t, k))
	plain := plaintext(t, s)
	for _, test := range []struct {
		name     string
		file     []byte
		readable int
	}{
		{"in the plaintext", sealPlain(append(bytes.Clone(plain), 0)), 5},
		{"an end in the middle", sealPlain(append(bytes.Clone(plain), plain[l.end:]...)), 5},
		{"no end", sealPlain(plain[:l.end]), 5},
		{"no head", sealPlain(nil), -1},
		{"nothing but the magic", sealPlain([]byte(magic)), -1},
		{"other magic", sealPlain(append([]byte("packetcache\n\x01\x00\x00\x00"), plain[len(magic):]...)), -1},
		{"version 2 inside", sealPlain(append([]byte("PacketCache\n\x02\x00\x00\x00"), plain[len(magic):]...)), -1},
	} {
		r, err := NewReader(bytes.NewReader(test.file), fixedKey())
		if test.readable < 0 {
			if !isDamage(err) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if list, err := readAll(r); len(list) != test.readable || !isDamage(err) {
			t.Errorf("%s: %d segments, %v", test.name, len(list), err)
		}
	}
}

// A disk that fails in the middle is no end, and what was read counts.
func TestReadError(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(12, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	broken := errors.New("input/output error")
	r, err := NewReader(io.MultiReader(bytes.NewReader(file[:len(file)/2]), failing{broken}), k.machine)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readAll(r)
	if len(list) == 0 || !isDamage(err) || !errors.Is(err, broken) {
		t.Errorf("%d segments, %v", len(list), err)
	}
	var s2 record.Segment
	if again := r.Next(&s2); !errors.Is(again, broken) {
		t.Errorf("then %v", again)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A file that changes between the two readings loses what has changed only.
func TestChangedMeanwhile(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(13, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	f, err := Open(bytes.NewReader(file), int64(len(file)), nil, k.machine)
	if err != nil {
		t.Fatal(err)
	}
	file[len(file)-5] ^= 1
	list, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err == nil || len(list) == 0 || len(list) >= len(s.packets) {
		t.Errorf("%d of %d packets, %v", len(list), len(s.packets), err)
	}
}

// The caller can end the reading.
func TestLook(t *testing.T) {
	k := newKeys(t)
	file := newSample(rand.New(rand.NewPCG(14, 1)), 9, 9).seal(t, k)
	enough := errors.New("enough")
	for at := int64(0); at < int64(len(file)); at += 70_000 {
		look := func(done int64) error {
			if done >= at {
				return enough
			}
			return nil
		}
		if _, err := Open(bytes.NewReader(file), int64(len(file)), look, k.machine); !errors.Is(err, enough) {
			t.Errorf("at %d: %v", at, err)
		}
		if _, err := Verify(bytes.NewReader(file), look, k.machine); !errors.Is(err, enough) {
			t.Errorf("verifying, at %d: %v", at, err)
		}
	}
}
