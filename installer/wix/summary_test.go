package main

import (
	"bytes"
	"testing"
	"time"
)

// A memory is a stream that holds bytes.
type memory struct {
	*bytes.Reader
	b []byte
}

func (m memory) WriteAt(p []byte, off int64) (int, error) { return copy(m.b[off:], p), nil }

// Whatever is in the stream, it is an error or done.
func FuzzRewriteTimes(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, 48))
	whole := make([]byte, 48, 100)
	whole[44] = 48
	whole = append(whole, 0, 0, 0, 0, 2, 0, 0, 0, 12, 0, 0, 0, 24, 0, 0, 0, 13, 0, 0, 0, 36, 0, 0, 0)
	whole = append(whole, 64, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 64, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2)
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		_ = rewriteTimes(memory{bytes.NewReader(b), b}, time.Unix(1, 0))
	})
}

func TestRewriteTimes(t *testing.T) {
	b := make([]byte, 48, 100)
	b[44] = 48
	b = append(b, 0, 0, 0, 0, 2, 0, 0, 0, 12, 0, 0, 0, 24, 0, 0, 0, 13, 0, 0, 0, 36, 0, 0, 0)
	b = append(b, 64, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 64, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2)
	if err := rewriteTimes(memory{bytes.NewReader(b), b}, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	want := []byte{0x00, 0x80, 0x3e, 0xd5, 0xde, 0xb1, 0x9d, 0x01} // 1970 ([MS-DTYP] 2.3.3)
	if !bytes.Equal(b[76:84], want) || !bytes.Equal(b[88:96], want) {
		t.Errorf("times are % x and % x, want % x", b[76:84], b[88:96], want)
	}
	if err := rewriteTimes(memory{bytes.NewReader(b[:80]), b}, time.Now()); err == nil {
		t.Error("cut short, and no error")
	}
}
