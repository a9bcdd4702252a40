package mem

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

func reserve(t *testing.T, size int) *Region {
	t.Helper()
	r, err := Reserve(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

func resize(t *testing.T, p *Part, n int) {
	t.Helper()
	if err := p.Resize(n); err != nil {
		t.Fatal(err)
	}
}

// Parts grow and shrink at random beside one another: what is there stays,
// what is new is zero, and what was given back has been wiped.
func TestParts(t *testing.T) {
	const most = 1 << 20
	random := rand.New(rand.NewPCG(1, 2))
	r := reserve(t, 3*Space(most-1))
	var parts []*Part
	for range 3 {
		parts = append(parts, r.Part(most-1))
	}
	sizes := make([]int, 3)
	for range 300 {
		i := random.IntN(3)
		p, before := parts[i], sizes[i]
		n := random.IntN(most)
		sizes[i] = n
		resize(t, p, n)
		b := p.Bytes()
		if len(b) != n || cap(b) != n {
			t.Fatalf("Resize(%d) gives %d bytes, %d at most", n, len(b), cap(b))
		}
		kept := min(n, before)
		if wrong := bytes.Count(b[:kept], []byte{byte(i + 1)}); wrong != kept {
			t.Fatalf("of %d bytes %d are as they were", kept, wrong)
		}
		if zero := bytes.Count(b[kept:], []byte{0}); zero != n-kept {
			t.Fatalf("of %d bytes that came, %d are zero", n-kept, zero)
		}
		for at := kept; at < n; at++ {
			b[at] = byte(i + 1)
		}
	}
}

func TestRegionRefusesNonsense(t *testing.T) {
	for _, size := range []int{0, -1} {
		if r, err := Reserve(size); err == nil {
			t.Errorf("Reserve(%d) = %v, want an error", size, r)
		}
	}
	p := reserve(t, 1<<16).Part(1 << 16)
	resize(t, p, 100)
	for _, size := range []int{-1, 1<<16 + 1} {
		if err := p.Resize(size); err == nil {
			t.Errorf("Resize(%d) of a part of at most %d bytes gives no error", size, 1<<16)
		}
	}
	if len(p.Bytes()) != 100 {
		t.Errorf("the part has %d bytes, want the 100 that it had", len(p.Bytes()))
	}
}

// Populating goes to the end of what is there, again after it has grown, and
// does no harm to what others write meanwhile.
func TestPopulate(t *testing.T) {
	r := reserve(t, 8<<20)
	p := r.Part(8 << 20)
	page := os.Getpagesize()
	for _, size := range []int{page + 1, 3 << 20, 2 << 20, 8 << 20, page} {
		resize(t, p, size)
		b := p.Bytes()
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range b {
				b[i] = byte(i)
			}
		})
		populated, more := p.Populate(1 << 20)
		for more {
			before := populated
			if populated, more = p.Populate(1 << 20); populated <= before {
				t.Fatalf("populating stands at %d", populated)
			}
		}
		writer.Wait()
		if populated < size {
			t.Errorf("populated are %d bytes of %d", populated, size)
		}
		for i := range b {
			if b[i] != byte(i) {
				t.Fatalf("byte %d of %d is lost", i, size)
			}
		}
		p.Huge()
	}
	if err := r.LockError(); err != nil {
		t.Logf("not locked: %v", err)
	}
}

// What the system refused to lock is tried again with every size.
func TestLockTriedAgain(t *testing.T) {
	r := reserve(t, 1<<20)
	p, q := r.Part(1<<19), r.Part(1<<19)
	resize(t, p, 1<<19)
	if r.LockError() != nil {
		t.Skip("not locked here: ", r.LockError())
	}
	r.note(errors.New("first"))
	r.note(errors.New("second"))
	if err := r.LockError(); err == nil || err.Error() != "first" {
		t.Errorf("the reason is %v", err)
	}
	p.Populate(1 << 20)
	resize(t, q, 4096)
	if populated, more := p.Populate(4096); populated != 4096 || !more || r.LockError() != nil {
		t.Errorf("after a change of size it is populated up to %d, %v", populated, r.LockError())
	}
}

func TestCloseTwice(t *testing.T) {
	r := reserve(t, 1<<20)
	resize(t, r.Part(1<<20), 1<<20)
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
