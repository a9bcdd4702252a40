package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoopFollowsTheList(t *testing.T) {
	eth0, usb := eth("eth0", 2), eth("usb0", 3)
	inBubble(t, newFake(eth0), Config{}, func(b *bench) {
		b.want("eth0", StateCapturing)
		b.become(eth0, usb)
		synctest.Wait()
		time.Sleep(calm)
		synctest.Wait()
		b.want("usb0", StateCapturing)
		id := b.status("usb0").ID
		b.source("usb0").count(5, 0)

		b.become(eth0) // unplugged
		time.Sleep(time.Second)
		b.want("usb0", StateGone)
		usb.Index = 9
		b.become(eth0, usb) // and plugged in again
		time.Sleep(time.Second)
		synctest.Wait()
		b.want("usb0", StateCapturing)
		b.source("usb0").count(3, 0)
		if s := b.status("usb0"); s.ID != id || s.Received != 8 || s.Interface.Index != 9 {
			t.Errorf("came back as %+v, want ID %d and 8 packets in all", s, id)
		}
		if n := b.opens("eth0"); n != 1 {
			t.Errorf("eth0 was opened %d times", n)
		}
		want := []string{"started eth0", "started usb0", "stopped usb0", "started usb0"}
		if got := b.kinds(); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// A Loop says when each interface is captured, or known why not, and so once what takes
// long has been opened.
func TestLoopSettles(t *testing.T) {
	p := newFake(eth("eth0", 2), eth("eth1", 3), eth("slow0", 4))
	p.failOpen("eth1", errBroken)
	p.slow = map[string]time.Duration{"slow0": 3 * time.Second}
	inBubble(t, p, Config{Include: []string{"eth*", "slow0", "absent0"}}, func(b *bench) {
		settled := func() bool {
			synctest.Wait()
			select {
			case <-b.loop.Settled():
				return true
			default:
				return false
			}
		}
		b.want("eth0", StateCapturing)
		b.want("eth1", StateFailed)
		time.Sleep(2 * time.Second)
		if settled() {
			t.Error("settled while slow0 is being opened")
		}
		time.Sleep(time.Second)
		if !settled() {
			t.Error("not settled, and slow0 is open")
		}
		b.want("slow0", StateCapturing)
		b.become(eth("eth0", 2), eth("eth9", 9))
		time.Sleep(time.Second)
		if !settled() {
			t.Error("no longer settled")
		}
	})
	inBubble(t, newFake(), Config{}, func(b *bench) {
		synctest.Wait()
		select {
		case <-b.loop.Settled():
		default:
			t.Error("without interfaces it does not settle")
		}
	})
}

// A platform can have several ways to capture, and change its mind.
func TestLoopReopensWhatIsServedOtherwise(t *testing.T) {
	raw := eth("Ethernet", 2)
	raw.Served = "rawsock 192.0.2.1"
	inBubble(t, newFake(raw), Config{}, func(b *bench) {
		npcap := raw
		npcap.Served = "npcap"
		b.become(npcap)
		time.Sleep(time.Second)
		b.want("Ethernet", StateCapturing)
		if n, link := b.opens("Ethernet"), b.source("Ethernet").link; n != 2 || link.Served != "npcap" {
			t.Errorf("opened %d times, the last by %q", n, link.Served)
		}
		for _, e := range b.take() {
			if e.Kind == Stopped && e.Reason != "opened anew: by npcap instead of rawsock 192.0.2.1" {
				t.Errorf("it stopped for the reason %q", e.Reason)
			}
		}
		b.source("Ethernet").fail <- errBroken
		synctest.Wait()
		b.want("Ethernet", StateFailed)
		if s := b.status("Ethernet"); s.Backend != "" {
			t.Errorf("nothing captures, and the backend is %q", s.Backend)
		}
		b.become(raw) // no grudge against the other way
		time.Sleep(time.Second / 4)
		b.want("Ethernet", StateCapturing)
	})
}

func TestLoopReopensAnotherInterfaceOfTheSameName(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 2)), Config{}, func(b *bench) {
		b.become(eth("eth0", 5)) // renamed between two lists, or replaced
		time.Sleep(time.Second)
		b.want("eth0", StateCapturing)
		if n, link := b.opens("eth0"), b.source("eth0").link; n != 2 || link.Index != 5 {
			t.Errorf("opened %d times, the last with index %d; want 2 and 5", n, link.Index)
		}
		monitor := eth("eth0", 5)
		monitor.Hardware = 803
		b.become(monitor)
		time.Sleep(time.Second)
		if n := b.opens("eth0"); n != 3 {
			t.Errorf("opened %d times, want once more when the kind of interface changed", n)
		}
	})
}

func TestLoopWaitsForWhatWasAskedFor(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 2)), Config{Include: []string{"wwan0", "tun*"}}, func(b *bench) {
		b.want("eth0", StateExcluded)
		b.want("wwan0", StateWaiting)
		b.become(eth("eth0", 2), eth("wwan0", 3))
		time.Sleep(time.Second)
		b.want("wwan0", StateCapturing)
		b.become(eth("eth0", 2))
		time.Sleep(time.Second)
		b.want("wwan0", StateWaiting)
		want := []string{"missing wwan0", "started wwan0", "stopped wwan0", "missing wwan0"}
		if got := b.kinds(); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestLoopTriesAgainWithBackoff(t *testing.T) {
	p := newFake(eth("eth0", 2), eth("eth1", 3))
	p.failOpen("eth0", errBroken)
	inBubble(t, p, Config{}, func(b *bench) {
		began := time.Now()
		b.want("eth0", StateFailed)
		b.want("eth1", StateCapturing)
		if err := b.status("eth0").Err; !errors.Is(err, errBroken) {
			t.Errorf("the error in status is %v", err)
		}
		opens := 1
		for _, wait := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			time.Sleep(time.Duration(wait)*time.Second - time.Millisecond)
			synctest.Wait()
			if n := b.opens("eth0"); n != opens {
				t.Fatalf("opened %d times after %v, want %d", n, time.Since(began), opens)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			opens++
			if n := b.opens("eth0"); n != opens {
				t.Fatalf("opened %d times after %v, want %d", n, time.Since(began), opens)
			}
		}
		if got := b.kinds(); !slices.Equal(got, []string{"failed eth0", "started eth1"}) && !slices.Equal(got, []string{"started eth1", "failed eth0"}) {
			t.Errorf("events %q: the same failure is to be told once", got)
		}
		b.failOpen("eth0", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		b.want("eth0", StateCapturing)
		if s := b.status("eth0"); s.Err != nil || !s.Retry.IsZero() {
			t.Errorf("still shows the error %v and a retry at %v", s.Err, s.Retry)
		}
		// After steady work, a failure begins the series again.
		time.Sleep(steady)
		b.source("eth0").fail <- errBroken
		time.Sleep(firstBackoff - time.Millisecond)
		b.want("eth0", StateFailed)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		b.want("eth0", StateCapturing)
	})
}

// A source that says its interface has vanished, while the list still has it,
// is not opened time and again without a pause, and not called failed.
func TestLoopVanishedButListed(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 2)), Config{}, func(b *bench) {
		b.source("eth0").fail <- fmt.Errorf("capture: %w", ErrVanished)
		synctest.Wait()
		b.want("eth0", StateWaiting)
		time.Sleep(firstBackoff - time.Millisecond)
		if n := b.opens("eth0"); n != 1 {
			t.Errorf("opened %d times within the pause", n)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		b.want("eth0", StateCapturing)
	})
}

func TestLoopSurvivesThePlatform(t *testing.T) {
	p := newFake()
	p.listErr = errors.New("netlink is away")
	inBubble(t, p, Config{}, func(b *bench) {
		time.Sleep(12 * time.Second)
		if got := b.take(); len(got) != 1 || got[0].Kind != Failed || got[0].Interface.Name != "" {
			t.Errorf("events %+v, want one failure of no interface", got)
		}
		b.mu.Lock()
		p.mu.Lock()
		p.listErr, p.links = nil, []Link{eth("eth0", 2)}
		p.mu.Unlock()
		b.mu.Unlock()
		time.Sleep(relist)
		synctest.Wait()
		b.want("eth0", StateCapturing)

		// The watch breaks; what changed meanwhile is found, and it goes on.
		p.mu.Lock()
		p.links = append(p.links, eth("eth1", 3))
		close(p.hints)
		p.mu.Unlock()
		time.Sleep(relist)
		synctest.Wait()
		b.want("eth1", StateCapturing)
		b.become(eth("eth0", 2))
		time.Sleep(time.Second)
		b.want("eth1", StateGone)
	})
}

func TestLoopSetConfig(t *testing.T) {
	p := newFake(eth("eth0", 2), eth("eth1", 3), eth("br0", 4, 2))
	inBubble(t, p, Config{RingBytes: 64 << 20}, func(b *bench) {
		b.want("br0", StateCovered)
		if by := b.status("br0").CoveredBy; !slices.Equal(by, []string{"eth0"}) {
			t.Errorf("br0 is covered by %q", by)
		}
		b.loop.SetConfig(Config{RingBytes: 64 << 20, Exclude: []string{"eth0"}})
		time.Sleep(time.Second)
		b.want("eth0", StateExcluded)
		b.want("br0", StateCapturing)
		if n := b.opens("eth1"); n != 1 {
			t.Errorf("eth1 was opened %d times though nothing changed for it", n)
		}
		b.loop.SetConfig(Config{RingBytes: 64 << 20, Exclude: []string{"eth0"}, Filter: Filter{Text: "not port 22"}})
		time.Sleep(time.Second)
		synctest.Wait()
		if n, c := b.opens("eth1"), b.lastOpen("eth1"); n != 2 || c.Filter.Text != "not port 22" {
			t.Errorf("eth1 was opened %d times, the last with filter %q", n, c.Filter.Text)
		}
		if f := b.status("eth1").Interface.Filter; f != "not port 22" {
			t.Errorf("eth1 is announced with filter %q", f)
		}
		b.loop.SetConfig(Config{RingBytes: 64 << 20, Include: []string{"nothing"}})
		time.Sleep(time.Second)
		for _, name := range []string{"eth0", "eth1", "br0"} {
			b.want(name, StateExcluded)
		}
	})
}

func TestLoopAnnouncesNewAddresses(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 2)), Config{}, func(b *bench) {
		with := eth("eth0", 2)
		with.Addrs = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}
		b.become(with)
		time.Sleep(time.Second)
		b.sink.mu.Lock()
		got := b.sink.last["eth0"].Addrs
		b.sink.mu.Unlock()
		if !slices.Equal(got, with.Addrs) || b.opens("eth0") != 1 {
			t.Errorf("the sink knows the addresses %v after %d openings", got, b.opens("eth0"))
		}
	})
}

func TestLoopShowsDown(t *testing.T) {
	down := eth("eth0", 2)
	down.Up = false
	inBubble(t, newFake(down), Config{}, func(b *bench) {
		b.want("eth0", StateDown)
		b.become(eth("eth0", 2))
		time.Sleep(time.Second)
		b.want("eth0", StateCapturing)
		b.become(down)
		time.Sleep(time.Second)
		b.want("eth0", StateDown)
		if n := b.opens("eth0"); n != 1 {
			t.Errorf("opened %d times: a link that is down stays open", n)
		}
		if got := strings.Join(b.kinds(), ","); got != "started eth0,stopped eth0" {
			t.Errorf("events %s", got)
		}
	})
}

func TestLoopTellsOfDrops(t *testing.T) {
	inBubble(t, newFake(eth("eth0", 2)), Config{RingBytes: DefaultMinRing}, func(b *bench) {
		b.take()
		b.source("eth0").count(10, 4)
		time.Sleep(checkDrops + time.Second)
		b.source("eth0").count(0, 2)
		time.Sleep(3 * checkDrops)
		synctest.Wait()
		var counts []uint64
		for _, e := range b.take() {
			if e.Kind == Dropped {
				counts = append(counts, e.Count)
			}
		}
		if !slices.Equal(counts, []uint64{4, 2}) {
			t.Errorf("drops told: %v, want [4 2]", counts)
		}
		if s := b.status("eth0"); s.Received != 10 || s.Dropped != 6 {
			t.Errorf("status has %d received, %d dropped", s.Received, s.Dropped)
		}
	})
}

// Interfaces that came and went in great number are forgotten.
func TestLoopForgets(t *testing.T) {
	inBubble(t, newFake(), Config{RingBytes: 1 << 30}, func(b *bench) {
		for i := range 3 * keepGone {
			b.become(eth(fmt.Sprint("veth", i), i+1))
			time.Sleep(time.Second)
		}
		if n := len(b.loop.Status()); n > keepGone+1 {
			t.Errorf("%d interfaces in status", n)
		}
	})
}

// An interface that the sink refuses is a failure of that interface only.
func TestLoopSinkRefuses(t *testing.T) {
	inBubble(t, newFake(), Config{}, func(b *bench) {
		b.sink.refuse("eth1")
		b.become(eth("eth0", 2), eth("eth1", 3))
		time.Sleep(time.Second)
		b.want("eth0", StateCapturing)
		b.want("eth1", StateFailed)
		if err := b.status("eth1").Err; !errors.Is(err, errRefused) {
			t.Errorf("the error in status is %v", err)
		}
	})
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{Started: "started", Stopped: "stopped", Failed: "failed", Dropped: "dropped", Missing: "missing", 99: "unknown"} {
		if k.String() != want {
			t.Errorf("%d is %q", k, k)
		}
	}
}
