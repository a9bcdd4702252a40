package afpacket

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

// A lockedBuffer takes a child's output while a test looks at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// setLinkType changes the hardware type of a tun device (TUNSETLINK).
func setLinkType(t *testing.T, tun *os.File, name string, hardware int) {
	t.Helper()
	raw, err := tun.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.IoctlSetInt(int(fd), unix.TUNSETLINK, hardware)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatalf("set the type of %s to %d: %v", name, hardware, err)
	}
}

// A machine is a Loop that captures from the interfaces of the namespace.
type machine struct {
	*capture.Loop
	sink *capturetest.Sink
}

// follow runs a Loop until the test ends. Only interfaces named pclp* count.
func follow(t *testing.T, cfg capture.Config) machine {
	t.Helper()
	capturetest.NeedNetNS(t)
	if cfg.Include == nil {
		cfg.Include = []string{"pclp*"}
	}
	if cfg.RingBytes == 0 {
		cfg.RingBytes = 16 << 20
	}
	m := machine{sink: capturetest.NewSink()}
	var log lockedBuffer
	m.Loop = capture.NewLoop(Platform{}, m.sink, cfg, func(e capture.Event) {
		fmt.Fprintln(&log, e.Kind, e.Interface.Name, e.Reason, e.Err)
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { m.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("events:\n%s", log.bytes())
		}
		for _, complaint := range m.sink.Complaints() {
			t.Error(complaint)
		}
	})
	return m
}

// find returns an interface's status.
func (m machine) find(name string) capture.Status {
	for _, s := range m.Status() {
		if s.Interface.Name == name {
			return s
		}
	}
	return capture.Status{}
}

// await polls, for as long as we promise, until an interface has a state.
func (m machine) await(t *testing.T, name string, state capture.State) capture.Status {
	t.Helper()
	capturetest.Eventually(t, 5*time.Second, name+" to be "+string(state), func() bool { return m.find(name).State == state })
	return m.find(name)
}

func TestLoopPicksUpAndLetsGo(t *testing.T) {
	m := follow(t, capture.Config{})
	capturetest.Veth(t, "pclp0", "pclp1")
	first := m.await(t, "pclp1", capture.StateCapturing)
	m.await(t, "pclp0", capture.StateCapturing)
	capturetest.Send(t, "pclp0", ethernet(experimental, 1, 60))
	m.sink.Await(t, 2)

	capturetest.IP(t, "link del pclp0")
	m.await(t, "pclp1", capture.StateGone)
	capturetest.Veth(t, "pclp0", "pclp1")
	again := m.await(t, "pclp1", capture.StateCapturing)
	m.await(t, "pclp0", capture.StateCapturing)
	if again.ID != first.ID || again.Interface.Index == first.Interface.Index {
		t.Errorf("came back with ID %d (before %d) and index %d (before %d)", again.ID, first.ID, again.Interface.Index, first.Interface.Index)
	}
	capturetest.Send(t, "pclp0", ethernet(experimental, 2, 60))
	m.sink.Await(t, 4)
	if again.Backend != "afpacket" || again.RingBytes < MinRing || again.Interface.LinkType != packet.LinkTypeEthernet || len(again.Interface.MAC) != 6 || again.Interface.OS == "" {
		t.Errorf("status is %+v", again)
	}
	capturetest.Eventually(t, 5*time.Second, "totals over both times", func() bool { return m.find("pclp1").Received == 2 })
}

func TestLoopFollowsARename(t *testing.T) {
	m := follow(t, capture.Config{})
	capturetest.Veth(t, "pclp0", "pclp1")
	m.await(t, "pclp1", capture.StateCapturing)
	capturetest.IP(t, "link set pclp1 down")
	m.await(t, "pclp1", capture.StateDown)
	capturetest.IP(t, "link set pclp1 name pclp9")
	m.await(t, "pclp1", capture.StateGone)
	capturetest.IP(t, "link set pclp9 up")
	m.await(t, "pclp9", capture.StateCapturing)
}

func TestLoopLearnsAddresses(t *testing.T) {
	m := follow(t, capture.Config{})
	capturetest.Veth(t, "pclp0", "pclp1")
	m.await(t, "pclp1", capture.StateCapturing)
	capturetest.IP(t, "addr add 192.0.2.1/24 dev pclp1")
	capturetest.Eventually(t, 5*time.Second, "the address to be announced", func() bool {
		return slices.ContainsFunc(m.sink.Interfaces(), func(i packet.Interface) bool {
			return i.Name == "pclp1" && len(i.Addrs) == 1 && i.Addrs[0].String() == "192.0.2.1/24"
		})
	})
}

func TestLoopRecordsOneLayerOfABridge(t *testing.T) {
	m := follow(t, capture.Config{})
	capturetest.Veth(t, "pclp0", "pclp1")
	capturetest.IP(t, "link add pclpbr type bridge")
	t.Cleanup(func() { _, _ = ip("link del pclpbr") })
	capturetest.IP(t, "link set pclpbr up")
	m.await(t, "pclp1", capture.StateCapturing)
	capturetest.Eventually(t, 5*time.Second, "the empty bridge to be open", func() bool { return m.find("pclpbr").RingBytes > 0 })
	capturetest.IP(t, "link set pclp1 master pclpbr")
	if s := m.await(t, "pclpbr", capture.StateCovered); !slices.Equal(s.CoveredBy, []string{"pclp1"}) {
		t.Errorf("the bridge is covered by %q", s.CoveredBy)
	}
	// The bridge has things to say of its own, which are not counted.
	sent := func() (list []packet.Packet) {
		for _, p := range m.sink.Got() {
			if len(p.Data) >= 14 && binary.BigEndian.Uint16(p.Data[12:]) == experimental {
				list = append(list, p)
			}
		}
		return list
	}
	capturetest.Send(t, "pclp0", ethernet(experimental, 1, 60))
	capturetest.Eventually(t, 10*time.Second, "both ends of the pair have shown it", func() bool { return len(sent()) >= 2 })

	m.SetConfig(capture.Config{Include: []string{"pclpbr"}, RingBytes: 16 << 20})
	m.await(t, "pclpbr", capture.StateCapturing)
	m.await(t, "pclp1", capture.StateExcluded)
	capturetest.Send(t, "pclp0", ethernet(experimental, 2, 60))
	capturetest.Eventually(t, 10*time.Second, "the bridge has shown it", func() bool { return len(sent()) >= 3 })
	if list := sent(); len(list) != 3 {
		t.Errorf("%d packets: %v", len(list), list)
	}
}

func TestLoopSelects(t *testing.T) {
	capturetest.Veth(t, "pclp0", "pclp1")
	capturetest.Veth(t, "pclp2", "pclp3")
	m := follow(t, capture.Config{Include: []string{"pclp[0-2]", "pclp7"}, Exclude: []string{"pclp0"}})
	m.await(t, "pclp1", capture.StateCapturing)
	m.await(t, "pclp2", capture.StateCapturing)
	m.await(t, "pclp0", capture.StateExcluded)
	m.await(t, "pclp3", capture.StateExcluded)
	m.await(t, "pclp7", capture.StateWaiting)
	m.await(t, "lo", capture.StateExcluded)
}

// Bridges, macvlans and their relations as the kernel tells them.
func TestLinks(t *testing.T) {
	capturetest.Veth(t, "pclk0", "pclk1")
	capturetest.IP(t, "link add pclkbr type bridge")
	t.Cleanup(func() { _, _ = ip("link del pclkbr") })
	capturetest.IP(t, "link set pclk1 master pclkbr alias uplink")
	capturetest.IP(t, "addr add 192.0.2.1/24 dev pclk0")
	links, err := Platform{}.Links()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]capture.Link{}
	for _, l := range links {
		byName[l.Name] = l
	}
	if lo := byName["lo"]; lo.Index != 1 || lo.Aside != "loopback" {
		t.Errorf("lo is %+v", lo)
	}
	a, b, br := byName["pclk0"], byName["pclk1"], byName["pclkbr"]
	if !a.Up || len(a.MAC) != 6 || a.LinkType != packet.LinkTypeEthernet || len(a.Lower) != 0 || !strings.HasPrefix(a.OS, "Linux ") {
		t.Errorf("pclk0 is %+v", a)
	}
	if len(a.Addrs) != 1 || a.Addrs[0].String() != "192.0.2.1/24" {
		t.Errorf("pclk0 has the addresses %v", a.Addrs)
	}
	if a.Description != "veth" || b.Description != "uplink" {
		t.Errorf("descriptions are %q and %q", a.Description, b.Description)
	}
	if !slices.Equal(br.Lower, []int{b.Index}) || br.Up {
		t.Errorf("the bridge is %+v, its member has index %d", br, b.Index)
	}
	if out, err := ip("link add link pclk0 name pclkmv type macvlan"); err != nil {
		t.Skipf("this kernel has no macvlan: %s", out)
	}
	links, err = Platform{}.Links()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(links, func(l capture.Link) bool { return l.Name == "pclkmv" })
	if at < 0 || !slices.Equal(links[at].Lower, []int{a.Index}) {
		t.Errorf("the macvlan is %+v", links[max(at, 0)])
	}
}
