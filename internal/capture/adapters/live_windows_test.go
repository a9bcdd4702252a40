package adapters

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
)

// testInterface names, by its friendly name, an interface with an IPv4 network
// that Npcap knows and on which tests may send broadcasts. Without it, tests of
// live capture are skipped.
const testInterface = "PACKETCACHE_TEST_INTERFACE"

// discard is the port that the tests send to (RFC 863).
const discard = 9

// live finds the interface to test with.
func live(t *testing.T) (*Platform, capture.Link) {
	t.Helper()
	name := os.Getenv(testInterface)
	if name == "" {
		t.Skip("needs an interface to send on: set " + testInterface)
	}
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	links, err := p.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.Name == name {
			return p, l
		}
	}
	t.Fatalf("there is no interface %q among %+v", name, links)
	return nil, capture.Link{}
}

// onlyOurs lets the tests' own packets pass, and keeps out what the system
// sends of itself.
func onlyOurs(t *testing.T) capture.Filter {
	t.Helper()
	expr, err := filter.Parse(fmt.Sprintf("ip and udp dst port %d", discard))
	if err != nil {
		t.Fatal(err)
	}
	return capture.Filter{Text: expr.String(), Compile: func(lt packet.LinkType) (capture.Program, error) {
		program, err := expr.Compile(lt)
		if err != nil {
			return capture.Program{}, err
		}
		return capture.Program{Instructions: program.Raw(), Match: program.Match}, nil
	}}
}

// sendTo sends datagrams to all stations of the link's network. (Go's own UDP
// sockets cannot be had under Wine, which lacks SIO_UDP_NETRESET.)
func sendTo(t *testing.T, l capture.Link, port int, payloads ...[]byte) {
	t.Helper()
	at := slices.IndexFunc(l.Addrs, func(p netip.Prefix) bool { return p.Addr().Is4() })
	if at < 0 {
		t.Fatalf("%s has no IPv4 network: %v", l.Name, l.Addrs)
	}
	all := windows.SockaddrInet4{Port: port, Addr: l.Addrs[at].Masked().Addr().As4()}
	for i := l.Addrs[at].Bits(); i < 32; i++ {
		all.Addr[i/8] |= 1 << (7 - i%8)
	}
	sock, err := windows.Socket(windows.AF_INET, windows.SOCK_DGRAM, windows.IPPROTO_UDP)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.Closesocket(sock)
	if err := windows.SetsockoptInt(sock, windows.SOL_SOCKET, windows.SO_BROADCAST, 1); err != nil {
		t.Fatal(err)
	}
	if err := windows.Bind(sock, &windows.SockaddrInet4{Addr: l.Addrs[at].Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	for i, p := range payloads {
		if err := windows.Sendto(sock, p, 0, &all); err != nil {
			t.Fatalf("send datagram %d to %v: %v", i, all.Addr, err)
		}
	}
}

func send(t *testing.T, l capture.Link, payloads ...[]byte) {
	t.Helper()
	sendTo(t, l, discard, payloads...)
}

func payloads(n int) (list [][]byte) {
	for i := range n {
		list = append(list, bytes.Repeat([]byte{byte(i)}, 1+i%1400))
	}
	return list
}

func openLive(t *testing.T, p *Platform, l capture.Link) capture.Opened {
	t.Helper()
	opened, err := p.Open(l, capture.OpenConfig{RingBytes: 2 << 20, Filter: onlyOurs(t)})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Backend != capture.BackendNpcap || opened.Note != "" || opened.RingBytes != 2<<20 {
		t.Fatalf("opened as %q, note %q, %d bytes", opened.Backend, opened.Note, opened.RingBytes)
	}
	return opened
}

func TestNpcapContract(t *testing.T) {
	capturetest.TestSource(t, func(t *testing.T) capturetest.Subject {
		p, l := live(t)
		const n = 300
		return capturetest.Subject{
			Source: openLive(t, p, l).Source, Packets: n,
			Feed: func(t *testing.T) { send(t, l, payloads(n)...) },
		}
	})
}

// What is sent is recorded whole, in order, once, and as going out.
func TestNpcapContents(t *testing.T) {
	p, l := live(t)
	sink := capturetest.NewSink()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- openLive(t, p, l).Run(ctx, sink) }()
	sink.AwaitInterface(t)
	sent := payloads(2000)
	send(t, l, sent...)
	sink.Await(t, len(sent))
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := sink.Interfaces()[0]; got.LinkType != packet.LinkTypeEthernet || got.Name != l.Name || len(got.MAC) != 6 {
		t.Errorf("announced %+v", got)
	}
	got := sink.Got()
	if len(got) != len(sent) {
		t.Fatalf("%d packets for %d datagrams", len(got), len(sent))
	}
	const headers = 14 + 20 + 8
	for i, p := range got {
		frame := p.Data // the shortest are filled up by some drivers
		if len(frame) < headers+len(sent[i]) || !bytes.Equal(frame[headers:headers+len(sent[i])], sent[i]) {
			t.Fatalf("packet %d is %x", i, frame)
		}
		if p.Direction != packet.Outbound {
			t.Fatalf("packet %d has the direction %d", i, p.Direction)
		}
		if i > 0 && p.Time < got[i-1].Time {
			t.Errorf("packet %d is %v older than the one before", i, time.Duration(got[i-1].Time-p.Time))
		}
	}
}

// A filter holds whether wpcap.dll takes it or not.
func TestNpcapFilter(t *testing.T) {
	p, l := live(t)
	taken := onlyOurs(t)
	refused := capture.Filter{Text: taken.Text, Compile: func(lt packet.LinkType) (capture.Program, error) {
		program, err := taken.Compile(lt)
		program.Instructions = []bpf.RawInstruction{{Op: 0xffff}}
		return program, err
	}}
	for name, f := range map[string]capture.Filter{"taken": taken, "refused": refused} {
		t.Run(name, func(t *testing.T) {
			opened, err := p.Open(l, capture.OpenConfig{RingBytes: 2 << 20, Filter: f})
			if err != nil {
				t.Fatal(err)
			}
			sink := capturetest.NewSink()
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- opened.Run(ctx, sink) }()
			sink.AwaitInterface(t)
			sendTo(t, l, discard+1, payloads(50)...)
			send(t, l, payloads(50)...)
			sink.Await(t, 50)
			stop()
			if err := <-ended; err != nil || len(sink.Got()) != 50 {
				t.Errorf("%d packets, %v; want 50", len(sink.Got()), err)
			}
		})
	}
}

func TestNpcapDoesNotAllocate(t *testing.T) {
	p, l := live(t)
	sink := &counting{announced: make(chan struct{}), all: make(chan struct{}), want: 5_000}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	opened := openLive(t, p, l)
	go func() { ended <- opened.Run(ctx, sink) }()
	<-sink.announced
	list := payloads(100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range sink.want / len(list) {
		send(t, l, list...)
	}
	select {
	case <-sink.all:
	case <-time.After(20 * time.Second):
		t.Errorf("counted %+v of %d", opened.Counters(), sink.want)
	}
	runtime.ReadMemStats(&after)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := after.Mallocs - before.Mallocs; n > uint64(sink.want)/5 { // those of send
		t.Errorf("%d allocations for %d packets", n, sink.want)
	}
}

// A counting sink tells when as many packets have come as it wants.
type counting struct {
	announced, all chan struct{}
	n, want        int
}

func (c *counting) Interface(packet.Interface) (packet.InterfaceID, error) {
	close(c.announced)
	return 0, nil
}

func (c *counting) Packets(batch []packet.Packet) {
	if c.n < c.want && c.n+len(batch) >= c.want {
		close(c.all)
	}
	c.n += len(batch)
}

// The list has the loopback interface, aside, and names that are distinct.
func TestLinks(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	links, err := p.Links()
	if err != nil {
		t.Fatal(err)
	}
	loopback, names := false, map[string]bool{}
	for _, l := range links {
		if l.Name == "" || names[l.Name] || l.Index == 0 || l.Served == "" {
			t.Errorf("a link is %+v", l)
		}
		names[l.Name] = true
		loopback = loopback || l.Aside == "loopback"
	}
	if !loopback {
		t.Errorf("no loopback interface among %+v", links)
	}
}

// A link whose plan has changed since it was listed is opened after the next
// list only.
func TestOpenStale(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Open(capture.Link{Served: "rawsock 192.0.2.1"}, capture.OpenConfig{}); err == nil {
		t.Error("opened a link that was never listed")
	}
}
