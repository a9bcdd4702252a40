package dump

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
)

// stuck takes a file's header, tells that it did, and then nothing until
// released.
type stuck struct {
	reached, release chan struct{}
	header           sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	first := false
	s.header.Do(func() { first = true })
	if first {
		return len(p), nil
	}
	select {
	case s.reached <- struct{}{}:
	default: // nobody wants to know
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
	const waiting = 56
	reached, release := make(chan struct{}, Parallel+waiting), make(chan struct{})
	var dumps sync.WaitGroup
	begin := func(n int) {
		for range n {
			dumps.Go(func() {
				_, _ = d.Dump(context.Background(), Request{PCAPNG: true, Query: cache.All}, &stuck{reached: reached, release: release})
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
	for range Parallel {
		<-reached // an active dump has its buffers by then
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin(waiting)
	reach(Parallel, waiting)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / waiting; each > 16<<10 {
		t.Errorf("a dump that waits holds %d bytes", each)
	}
}

// TestStuckReadersGiveWay: readers that take nothing keep their places as long
// as nobody waits, then one of them is cut off. A slow one is not.
func TestStuckReadersGiveWay(t *testing.T) {
	c := newCache(t)
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	for i := range 5000 {
		c.Append([]packet.Packet{{Time: int64(i), Interface: id, Data: make([]byte, 1000)}})
	}
	for _, test := range []struct {
		name            string
		before, atLeast time.Duration // until another comes, and until its turn
	}{
		{"they have just stopped", time.Second, GiveWay - time.Second},
		{"they stopped long ago", StallLimit - time.Minute, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := New(c, facts{})
				results := make(chan error, Parallel+1)
				client := func() net.Conn {
					there, here := net.Pipe()
					go func() {
						_, err := d.Dump(t.Context(), Request{Query: cache.All}, &patient{Conn: here})
						_ = here.Close()
						results <- err
					}()
					if _, err := io.CopyN(io.Discard, there, 24); err != nil {
						t.Error(err)
					}
					return there
				}
				slow := client()
				go func() {
					for err := error(nil); err == nil; time.Sleep(GiveWay / 2) {
						_, err = io.CopyN(io.Discard, slow, bufferSize)
					}
				}()
				var stuck []net.Conn
				for range Parallel - 1 {
					stuck = append(stuck, client())
				}
				time.Sleep(test.before)
				if active, _, _ := d.Activity(); active != Parallel {
					t.Fatalf("%d dumps are left though nobody waits", active)
				}
				begun := time.Now()
				_, err := io.Copy(io.Discard, client())
				if took := time.Since(begun); err != nil || took < test.atLeast || took > test.atLeast+3*time.Second {
					t.Errorf("the ninth dump took %v, %v", took, err)
				}
				if err := <-results; !errors.Is(err, ErrGaveWay) {
					t.Errorf("the one that had to go ended with %v", err)
				}
				if err := <-results; err != nil {
					t.Errorf("the ninth ended with %v", err)
				}
				if active, waiting, _ := d.Activity(); active != Parallel-1 || waiting != 0 {
					t.Errorf("%d dumps are left and %d wait", active, waiting)
				}
				for _, conn := range append(stuck, slow) {
					_ = conn.Close()
				}
				for range Parallel - 1 {
					<-results
				}
				time.Sleep(GiveWay) // until the slow one has noticed
			})
		})
	}
}

// TestTurnsInOrder: who has waited longest is next.
func TestTurnsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesks(newCache(t))
		var all []*desk
		for range Parallel {
			all = append(all, d.tryTake())
		}
		const waiting = 5
		order := make(chan int, waiting)
		for i := range waiting {
			go func() {
				at, err := d.take(t.Context())
				if err != nil {
					t.Error(err)
				}
				order <- i
				d.leave(at)
			}()
			time.Sleep(300 * time.Millisecond)
		}
		if active, waits, _ := d.activity(); active != Parallel || waits != waiting {
			t.Errorf("%d are active and %d wait", active, waits)
		}
		d.leave(all[0])
		for want := range waiting {
			if got := <-order; got != want {
				t.Errorf("number %d had its turn before number %d", got, want)
			}
		}
		for _, at := range all[1:] {
			d.leave(at)
		}
	})
}

// TestCutTooLate: a reader that took everything just when it was to be cut off
// goes on, and can be cut off later.
func TestCutTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesks(newCache(t))
		at := d.tryTake()
		for range 2 {
			cut := false
			d.beginWrite(at, func() { cut = true })
			time.Sleep(GiveWay)
			d.cutSlowest()
			if gaveWay := d.endWrite(at); !cut || !gaveWay {
				t.Errorf("cut off: %v, told so: %v", cut, gaveWay)
			}
		}
		d.leave(at)
		there, here := net.Pipe()
		defer there.Close()
		w := &patient{Conn: here}
		if err := errors.Join(w.SetWriteDeadline(longAgo), w.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil || w.cut.Load() {
			t.Errorf("%v; cut off: %v", err, w.cut.Load())
		}
	})
}

// TestWaitersThatLeave: a client that goes while it waits gives up its place, and
// one that has only ended what it sends does not.
func TestWaitersThatLeave(t *testing.T) {
	dir := t.TempDir()
	if runtime.GOOS == "windows" {
		dir = "-leave-test-" + strconv.Itoa(os.Getpid())
	}
	ln, err := ipc.Listen(ipc.Dump, ipc.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(t)
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	for i := range 5000 {
		c.Append([]packet.Packet{{Time: int64(i), Interface: id, Data: make([]byte, 1000)}})
	}
	d := New(c, facts{})
	records := make(chan Record, Parallel+2)
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { d.Serve(ctx, ln, func(r Record) { records <- r }) })
	defer serving.Wait()
	defer stop()
	dial := func() net.Conn {
		t.Helper()
		conn, err := ipc.Dial(ctx, ipc.Dump, dir)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	reach := func(active, waiting int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if a, w, _ := d.Activity(); a == active && w == waiting {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("%d dumps are active and %d wait, want %d and %d", a, w, active, waiting)
			}
		}
	}
	var stuck []net.Conn
	for range Parallel {
		stuck = append(stuck, dial())
	}
	reach(Parallel, 0)
	leaves, stays := dial(), dial()
	defer stays.Close()
	if half, ok := stays.(interface{ CloseWrite() error }); ok && runtime.GOOS != "windows" {
		if err := half.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	reach(Parallel, 2)
	if err := leaves.Close(); err != nil {
		t.Fatal(err)
	}
	reach(Parallel, 1)
	if r := <-records; !errors.Is(r.Err, errGone) || r.Result.Packets != 0 {
		t.Errorf("the one that left is recorded as %+v", r)
	}
	if err := stuck[0].Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, stays); err != nil || n < 5000*1000 {
		t.Errorf("the one that stayed got %d bytes, %v", n, err)
	}
	for _, conn := range stuck[1:] {
		_ = conn.Close()
	}
}
