package persist

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A slowDisk takes a time for each sync, and for each byte.
type slowDisk struct {
	rate  float64 // bytes a second
	each  time.Duration
	dirty atomic.Int64
	err   error
}

func (d *slowDisk) Write(p []byte) (int, error) {
	d.dirty.Add(int64(len(p)))
	return len(p), nil
}

func (d *slowDisk) Sync() error {
	n := d.dirty.Load()
	time.Sleep(d.each + time.Duration(float64(n)/d.rate*float64(time.Second)))
	d.dirty.Add(-n)
	return d.err
}

// Whatever the disk, the file ends before the deadline, and not much before.
func TestFlusherKeepsDeadlines(t *testing.T) {
	const segment = 64 << 10
	for _, test := range []struct {
		name string
		disk *slowDisk
		by   time.Duration
		// least is the part of what the disk could have taken.
		least float64
	}{
		{"network drive", &slowDisk{rate: 500e3, each: 50 * time.Millisecond}, 4 * time.Second, 0.2},
		{"old disk", &slowDisk{rate: 20e6, each: 20 * time.Millisecond}, 4 * time.Second, 0.6},
		{"laptop disk", &slowDisk{rate: 80e6, each: 15 * time.Millisecond}, 4 * time.Second, 0.7},
		{"flash", &slowDisk{rate: 400e6, each: 2 * time.Millisecond}, time.Second, 0.5},
		{"fast flash", &slowDisk{rate: 2e9, each: time.Millisecond}, time.Second, 0.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				l := limit{by: func() time.Time { return begun.Add(test.by) }}
				f := newFlusher(test.disk)
				for seg := make([]byte, segment); !l.over(f.reserve(segment)); {
					if _, err := f.Write(seg); err != nil {
						t.Fatal(err)
					}
					time.Sleep(50 * time.Microsecond) // to encrypt it
				}
				if err := f.finish(); err != nil {
					t.Fatal(err)
				}
				took := time.Since(begun)
				part := float64(f.written) / (test.disk.rate * test.by.Seconds())
				t.Logf("%d bytes in %v, %.2f of what is possible", f.written, took, part)
				if took > test.by || test.disk.dirty.Load() > 0 {
					t.Errorf("it took %v, with %d bytes not on the disk", took, test.disk.dirty.Load())
				}
				if encrypted := 0.7 * segment / 50e-6; test.disk.rate > encrypted {
					part *= test.disk.rate / encrypted
				}
				if part < test.least {
					t.Errorf("only %.2f of what is possible", part)
				}
			})
		})
	}
}

// An error of the disk stays, and nothing is under way when it is returned.
func TestFlusherFails(t *testing.T) {
	wrong := errors.New("input/output error")
	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{rate: 1e9, err: wrong}
		f := newFlusher(disk)
		var err error
		for range 10 {
			if _, err = f.Write(make([]byte, firstWindow)); err != nil {
				break
			}
		}
		if !errors.Is(err, wrong) {
			t.Errorf("written on, %v", err)
		}
		if err := f.finish(); !errors.Is(err, wrong) {
			t.Errorf("finished: %v", err)
		}
		if f.flying > 0 {
			t.Error("a flush is under way")
		}
	})
}
