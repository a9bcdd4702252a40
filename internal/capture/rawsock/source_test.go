package rawsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

// The tests run with sockets of one protocol, which show what comes for it: so
// the way of the packets can be tested where SIO_RCVALL cannot be had, on Linux
// and Wine, which has raw sockets for a few protocols only.
const network = "ip4:udp"

func testSockets() *Sockets {
	return newSockets(network, func(syscall.RawConn, bool) error { return nil })
}

// Loopback addresses that nobody else sends to.
var (
	home  = netip.MustParseAddr("127.72.0.1")
	home2 = netip.MustParseAddr("127.72.0.2")
)

func open(t *testing.T, s *Sockets, cfg Config) *Source {
	t.Helper()
	needRaw(t)
	cfg.Interface.Name = "Ethernet 2"
	src, err := s.Open(cfg)
	if errors.Is(err, fs.ErrPermission) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// speak sends packets from one local address to another.
func speak(t *testing.T, from, to netip.Addr, payloads ...string) {
	t.Helper()
	conn, err := net.DialIP(network, &net.IPAddr{IP: from.AsSlice()}, &net.IPAddr{IP: to.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, p := range payloads {
		if _, err := conn.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestContract(t *testing.T) {
	capturetest.TestSource(t, func(t *testing.T) capturetest.Subject {
		src := open(t, testSockets(), Config{Addrs: []netip.Addr{home}, RingBytes: 1 << 20})
		var payloads []string
		for i := range 200 {
			payloads = append(payloads, fmt.Sprint("payload ", i))
		}
		return capturetest.Subject{
			Source: src, Packets: len(payloads),
			Feed: func(t *testing.T) { speak(t, home, home, payloads...) },
		}
	})
}

// run runs a source until the test ends and waits for its interface.
func run(t *testing.T, src *Source) *capturetest.Sink {
	t.Helper()
	sink := capturetest.NewSink()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- src.Run(ctx, sink) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	sink.AwaitInterface(t)
	return sink
}

func TestStoredAsRawIP(t *testing.T) {
	s := testSockets()
	s.SetOwn([]netip.Addr{home2})
	sink := run(t, open(t, s, Config{Addrs: []netip.Addr{home}}))
	speak(t, home2, home, "to the right")
	speak(t, home, home, "from elsewhere")
	sink.Await(t, 2)
	if lt := sink.Interfaces()[0].LinkType; lt != packet.LinkTypeRaw {
		t.Errorf("link type %v", lt)
	}
	for i, want := range []struct {
		payload   string
		src       netip.Addr
		direction packet.Direction
	}{{"to the right", home2, packet.Outbound}, {"from elsewhere", home, packet.Inbound}} {
		p := sink.Got()[i]
		h, ok := parse(p.Data)
		if !ok || h.src != want.src.As4() || !bytes.HasSuffix(p.Data, []byte(want.payload)) || len(p.Data) != 20+len(want.payload) {
			t.Errorf("packet %d is %x", i, p.Data)
		}
		if p.Direction != want.direction || p.OrigLen != uint32(len(p.Data)) {
			t.Errorf("packet %d: direction %d, length %d", i, p.Direction, p.OrigLen)
		}
	}
}

func TestFilter(t *testing.T) {
	filter := capture.Filter{Text: "test", Compile: func(lt packet.LinkType) (capture.Program, error) {
		if lt != packet.LinkTypeRaw {
			t.Errorf("compiled for %v", lt)
		}
		return capture.Program{Match: func(b []byte, _ uint32) bool { return bytes.HasSuffix(b, []byte("wanted")) }}, nil
	}}
	src := open(t, testSockets(), Config{Addrs: []netip.Addr{home}, Filter: filter})
	sink := run(t, src)
	speak(t, home, home, "wanted", "other", "also wanted")
	sink.Await(t, 2)
	if c := src.Counters(); len(sink.Got()) != 2 || c != (capture.Counters{Received: 2}) {
		t.Errorf("%d packets, counted %+v", len(sink.Got()), c)
	}
	filter.Compile = func(packet.LinkType) (capture.Program, error) { return capture.Program{}, errors.New("no") }
	if _, err := testSockets().Open(Config{Addrs: []netip.Addr{home}, Filter: filter}); err == nil {
		t.Error("opened with a filter that cannot be compiled")
	}
}

func TestOpenErrors(t *testing.T) {
	needRaw(t)
	if _, err := testSockets().Open(Config{}); err == nil {
		t.Error("opened without an address")
	}
	failing := errors.New("no such thing")
	s := newSockets(network, func(syscall.RawConn, bool) error { return failing })
	if _, err := s.Open(Config{Addrs: []netip.Addr{home}}); !errors.Is(err, failing) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the error of SIO_RCVALL became %v", err)
	}
}

// Sockets take no more memory than there is; addresses without one are named.
func TestMemory(t *testing.T) {
	needRaw(t)
	for _, test := range []struct{ addrs, ring, sockets int }{{1, 0, 1}, {2, 256 << 10, 2}, {3, 256 << 10, 2}, {2, 8 << 20, 2}} {
		src := open(t, testSockets(), Config{Addrs: []netip.Addr{home, home2, home}[:test.addrs], RingBytes: test.ring})
		if len(src.listeners) != test.sockets || len(src.Left) != test.addrs-test.sockets || src.RingBytes() > max(test.ring, largest+leastReceive) {
			t.Errorf("%+v: %d sockets, %d left, %d bytes", test, len(src.listeners), len(src.Left), src.RingBytes())
		}
		if err := src.close(); err != nil {
			t.Error(err)
		}
	}
}

// One socket that fails ends the source, and the others with it.
func TestFailure(t *testing.T) {
	src := open(t, testSockets(), Config{Addrs: []netip.Addr{home, home2}, RingBytes: 1 << 20})
	sink := capturetest.NewSink()
	ended := make(chan error)
	go func() { ended <- src.Run(context.Background(), sink) }()
	sink.AwaitInterface(t)
	_ = src.listeners[1].conn.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run returned %v", err)
	}
}
