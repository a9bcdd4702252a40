package afpacket

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
)

func ip(line string) ([]byte, error) {
	return exec.Command("ip", strings.Fields(line)...).CombinedOutput()
}

// While the sink takes nothing the ring overflows; all that was sent is then
// either received or counted as dropped.
func TestDropsAreCounted(t *testing.T) {
	capturetest.Veth(t, "pcdr0", "pcdr1")
	sink := capturetest.NewSink()
	release := sink.Hold()
	defer release()
	s := open(t, Config{Interface: packet.Interface{Name: "pcdr1"}, RingBytes: 1 << 20})
	stop := run(t, s, sink)
	sink.AwaitInterface(t)
	const n = 2000 // of 1 KiB each: twice the ring
	for range n / 100 {
		batch := make([][]byte, 100)
		for i := range batch {
			batch[i] = ethernet(experimental, i, 1000)
		}
		capturetest.Send(t, "pcdr0", batch...)
	}
	capturetest.Eventually(t, 10*time.Second, "drops while it runs", func() bool { return s.Counters().Dropped > 0 })
	release()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c := s.Counters()
	if c.Received+c.Dropped != n || c.Received != uint64(len(sink.Got())) {
		t.Errorf("received %d + dropped %d of %d sent, %d at the sink", c.Received, c.Dropped, n, len(sink.Got()))
	}
}

// An interface that goes down is waited for, one that is removed ends Run.
func TestDownAndVanished(t *testing.T) {
	capturetest.Veth(t, "pcdn0", "pcdn1")
	sink := capturetest.NewSink()
	s := open(t, Config{Interface: packet.Interface{Name: "pcdn1"}})
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context(), sink) }()
	capturetest.Send(t, "pcdn0", ethernet(experimental, 1, 60))
	sink.Await(t, 1)
	capturetest.IP(t, "link set pcdn1 down")
	capturetest.IP(t, "link set pcdn1 up")
	capturetest.AwaitCarrier(t, "pcdn0", "pcdn1")
	capturetest.Send(t, "pcdn0", ethernet(experimental, 2, 60))
	sink.Await(t, 2)
	capturetest.IP(t, "link del pcdn0")
	select {
	case err := <-ended:
		if !errors.Is(err, capture.ErrVanished) {
			t.Errorf("Run returned %v, want ErrVanished", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Run goes on 5 s after the interface vanished")
	}
}

// A source may be opened on an interface that is down; nothing is missed then.
func TestOpenedWhileDown(t *testing.T) {
	capturetest.Veth(t, "pcod0", "pcod1")
	capturetest.IP(t, "link set pcod1 down")
	sink, _ := listen(t, "pcod1")
	sink.AwaitInterface(t)
	capturetest.IP(t, "link set pcod1 up")
	capturetest.AwaitCarrier(t, "pcod0", "pcod1")
	capturetest.Send(t, "pcod0", ethernet(experimental, 1, 60))
	sink.Await(t, 1)
}

func TestOpenUnknown(t *testing.T) {
	capturetest.NeedNetNS(t)
	for _, i := range []packet.Interface{{Name: "pcnone0"}, {Name: "pcnone0", Index: 99999}} {
		_, err := Open(Config{Interface: i})
		if !errors.Is(err, capture.ErrVanished) || !strings.Contains(err.Error(), "pcnone0") {
			t.Errorf("Open(%+v) returned %v", i, err)
		}
	}
}

// Without CAP_NET_RAW the error says what to do.
func TestNoPermission(t *testing.T) {
	capturetest.NeedNetNS(t)
	type result struct{ open, permitted error }
	results := make(chan result)
	go func() {
		// Capabilities belong to the thread, which ends with this goroutine.
		runtime.LockOSThread()
		var r result
		var none [2]unix.CapUserData
		r.open = unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
		if r.open == nil {
			_, r.open = Open(Config{Interface: packet.Interface{Name: "lo", Index: 1}})
			r.permitted = Permitted()
		}
		results <- r
	}()
	r := <-results
	for what, err := range map[string]error{"Open": r.open, "Permitted": r.permitted} {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "run as root, or grant it: setcap cap_net_raw,cap_ipc_lock+ep /") {
			t.Errorf("%s returned %v", what, err)
		}
	}
	if err := Permitted(); err != nil {
		t.Errorf("with permission, Permitted returned %v", err)
	}
}

// filterFor accepts packets whose byte at an offset has a value.
func filterFor(t *testing.T, offset uint32, value byte) capture.Filter {
	t.Helper()
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: offset, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(value), SkipFalse: 1},
		bpf.RetConstant{Val: 262144},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	return capture.Filter{Text: "a test's", Compile: func(packet.LinkType) (capture.Program, error) {
		return capture.Program{
			Instructions: program,
			Match:        func(b []byte, _ uint32) bool { return len(b) > int(offset) && b[offset] == value },
		}, nil
	}}
}

// The filter judges packets as they are stored: the byte behind the addresses
// is the tag's, which the kernel had taken off.
func TestFilter(t *testing.T) {
	capturetest.Veth(t, "pcfi0", "pcfi1")
	plain := ethernet(experimental, 1, 60)
	withTag := tagged(plain, 0x8100, 7)
	for _, c := range []struct {
		value byte
		want  []byte
	}{{0x88, plain}, {0x81, withTag}} {
		sink := capturetest.NewSink()
		stop := run(t, open(t, Config{Interface: packet.Interface{Name: "pcfi1"}, Filter: filterFor(t, 12, c.value)}), sink)
		capturetest.Send(t, "pcfi0", plain, withTag, plain, withTag)
		sink.Await(t, 2)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := sink.Got()
		if len(got) != 2 || string(got[0].Data) != string(c.want) || string(got[1].Data) != string(c.want) {
			t.Errorf("filter for %#x let through %d packets, the first %x", c.value, len(got), got[0].Data)
		}
	}
}

func TestFilterThatDoesNotCompile(t *testing.T) {
	capturetest.NeedNetNS(t)
	bad := capture.Filter{Text: "ether host", Compile: func(packet.LinkType) (capture.Program, error) {
		return capture.Program{}, errors.New("there is no address")
	}}
	_, err := Open(Config{Interface: packet.Interface{Name: "lo", Index: 1}, Filter: bad})
	if err == nil || !strings.Contains(err.Error(), `"ether host"`) || !strings.Contains(err.Error(), "there is no address") {
		t.Errorf("Open returned %v", err)
	}
}

// A filter that is too long for the kernel is applied all the same.
func TestLongFilter(t *testing.T) {
	capturetest.Veth(t, "pclf0", "pclf1")
	long := make([]bpf.RawInstruction, maxProgram)
	f := filterFor(t, 13, 0xb6)
	short, err := f.Compile(packet.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	f.Compile = func(packet.LinkType) (capture.Program, error) {
		return capture.Program{Instructions: long, Match: short.Match}, nil
	}
	sink := capturetest.NewSink()
	stop := run(t, open(t, Config{Interface: packet.Interface{Name: "pclf1"}, Filter: f}), sink)
	capturetest.Send(t, "pclf0", ethernet(experimental, 1, 60), ethernet(experimental+1, 2, 60))
	sink.Await(t, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Got(); len(got) != 1 || got[0].Data[13] != 0xb6 {
		t.Errorf("%d packets", len(got))
	}
}

// TestFilterThatTheKernelRefuses: every filter that can be written works, also
// where its program has a loop or else is none that the kernel takes.
func TestFilterThatTheKernelRefuses(t *testing.T) {
	capturetest.Veth(t, "pckr0", "pckr1")
	for _, text := range []string{"ip protochain 6 or ether proto 0x88b6", "ether proto 0x88b6 or (geneve or ip)", "ether proto 0x88b6"} {
		expr, err := filter.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f := capture.Filter{Text: text, Compile: func(lt packet.LinkType) (capture.Program, error) {
			p, err := expr.Compile(lt)
			if err != nil {
				return capture.Program{}, err
			}
			return capture.Program{Instructions: p.Raw(), Match: p.Match}, nil
		}}
		sink := capturetest.NewSink()
		stop := run(t, open(t, Config{Interface: packet.Interface{Name: "pckr1"}, Filter: f}), sink)
		capturetest.Send(t, "pckr0", ethernet(experimental, 1, 60), ethernet(experimental+1, 2, 60))
		sink.Await(t, 1)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := sink.Got(); len(got) != 1 || got[0].Data[13] != 0xb6 {
			t.Errorf("%s: %d packets", text, len(got))
		}
	}
}

// Nobody is woken while no packets come, and the end is immediate all the same.
func TestIdle(t *testing.T) {
	capturetest.Veth(t, "pcid0", "pcid1")
	s := open(t, Config{Interface: packet.Interface{Name: "pcid1"}})
	sink := capturetest.NewSink()
	stop := run(t, s, sink)
	capturetest.Send(t, "pcid0", ethernet(experimental, 1, 60))
	sink.Await(t, 1)
	before := s.wakes.Load()
	const idle = time.Second // there is no event to wait for: it is their absence that counts
	time.Sleep(idle)
	if n := s.wakes.Load() - before; n > 2 {
		t.Errorf("woken %d times in %v", n, idle)
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("Run took %v to end", took)
	}
}

// What the interface passed before the end is delivered at the end, without
// waiting for a block to fill or time out.
func TestEndDeliversTheRest(t *testing.T) {
	capturetest.Veth(t, "pcer0", "pcer1")
	for _, n := range []int{0, 1, 50} {
		sink := capturetest.NewSink()
		s := open(t, Config{Interface: packet.Interface{Name: "pcer1"}, BlockTimeout: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, sink) }()
		sink.AwaitInterface(t)
		capturetest.Send(t, "pcer0", frames(n)...)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := len(sink.Got()); got != n {
			t.Errorf("%d packets of %d", got, n)
		}
	}
}

// A ring is read round and round without losing or repeating a packet.
func TestManyRounds(t *testing.T) {
	capturetest.Veth(t, "pcmr0", "pcmr1")
	sink := capturetest.NewSink()
	s := open(t, Config{Interface: packet.Interface{Name: "pcmr1"}, RingBytes: 1 << 20})
	stop := run(t, s, sink)
	sent := 0
	for range 40 { // 40 times a third of the ring
		list := make([][]byte, 300)
		for i := range list {
			list[i] = ethernet(experimental, sent+i, 1000)
		}
		capturetest.Send(t, "pcmr0", list...)
		sent += len(list)
		sink.Await(t, sent)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := sink.Got()
	if len(got) != sent || s.Counters().Dropped != 0 {
		t.Fatalf("%d packets of %d, %d dropped", len(got), sent, s.Counters().Dropped)
	}
	for i, p := range got {
		if want := ethernet(experimental, i, 1000); string(p.Data) != string(want) {
			t.Fatalf("packet %d is %x", i, p.Data[:20])
		}
	}
}

func TestGeometry(t *testing.T) {
	for _, c := range []struct{ ring, block, blocks int }{
		{0, minBlock, 2},
		{MinRing, minBlock, 2},
		{1 << 20, minBlock, 8},
		{1<<20 + 1000, minBlock, 8},
		{2 << 20, 256 << 10, 8},
		{4 << 20, 512 << 10, 8},
		{64 << 20, 512 << 10, 128},
	} {
		if block, blocks := geometry(c.ring); block != c.block || blocks != c.blocks {
			t.Errorf("geometry(%d) = %d x %d, want %d x %d", c.ring, blocks, block, c.blocks, c.block)
		}
	}
}
