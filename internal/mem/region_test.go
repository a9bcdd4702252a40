package mem

import (
	"os"
	"testing"
)

func TestRegion(t *testing.T) {
	for _, size := range []int{1, 4096, 4097, 1 << 20} {
		r, err := New(size)
		if err != nil {
			t.Fatal(err)
		}
		b := r.Bytes()
		if len(b) < size || len(b)%os.Getpagesize() != 0 {
			t.Errorf("New(%d) gives %d bytes", size, len(b))
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("byte %d of a new region is %d", i, b[i])
			}
			b[i] = 0xff
		}
		if err := r.Close(len(b)); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := r.Close(len(b)); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for _, size := range []int{0, -1} {
		if r, err := New(size); err == nil {
			t.Errorf("New(%d) = %v, want an error", size, r)
		}
	}
}
