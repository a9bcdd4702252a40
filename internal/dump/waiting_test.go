package dump

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
)

// stuck takes a file's header and then nothing until released.
type stuck struct {
	release chan struct{}
	header  sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	first := false
	s.header.Do(func() { first = true })
	if first {
		return len(p), nil
	}
	<-s.release
	return 0, errors.New("released")
}

func (*stuck) SetWriteDeadline(time.Time) error { return nil }

// TestWaitingTakesLittle: dumps that wait for their turn do not hold on to
// what they have sent.
func TestWaitingTakesLittle(t *testing.T) {
	c := newCache(t)
	for i := range 2000 {
		if _, err := c.Interface(packet.Interface{Name: strconv.Itoa(i), Description: "an interface of many", LinkType: packet.LinkTypeEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2000 {
		c.Append([]packet.Packet{{Time: int64(i), Data: make([]byte, 1000)}})
	}
	d := New(c, facts{})
	release := make(chan struct{})
	var dumps sync.WaitGroup
	begin := func(n int) {
		for range n {
			dumps.Go(func() {
				_, _ = d.Dump(context.Background(), Request{PCAPNG: true, Query: cache.All}, &stuck{release: release})
			})
		}
	}
	reach := func(active, waiting int) {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if a, w, _ := d.Activity(); a == active && w == waiting {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("%d dumps are active and %d wait", a, w)
			}
		}
	}
	defer dumps.Wait()
	defer close(release)
	begin(Parallel)
	reach(Parallel, 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const waiting = 56
	begin(waiting)
	reach(Parallel, waiting)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / waiting; each > 16<<10 {
		t.Errorf("a dump that waits holds %d bytes", each)
	}
}
