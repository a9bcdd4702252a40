package afpacket

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

func TestMain(m *testing.M) { os.Exit(capturetest.MainInNetNS(m)) }

// open opens an interface by name with a small ring.
func open(t testing.TB, cfg Config) *Source {
	t.Helper()
	cfg.RingBytes = max(cfg.RingBytes, 1<<20)
	cfg.Interface.Index = index(t, cfg.Interface.Name)
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func index(t testing.TB, name string) int {
	t.Helper()
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return link.Index
}

// run runs a source until the returned function is called, or the test ends.
func run(t testing.TB, s *Source, sink capture.Sink) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, sink) }()
	var result error
	stopped := false
	stop = func() error {
		cancel()
		if !stopped {
			stopped = true
			select {
			case result = <-ended:
			case <-time.After(10 * time.Second):
				result = errors.New("Run has not returned within 10 s")
			}
		}
		return result
	}
	t.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, capture.ErrVanished) {
			t.Error(err)
		}
	})
	return stop
}

// listen captures from an interface by name into a new sink.
func listen(t testing.TB, name string) (*capturetest.Sink, func() error) {
	t.Helper()
	sink := capturetest.NewSink()
	return sink, run(t, open(t, Config{Interface: packet.Interface{Name: name}}), sink)
}

// ethernet makes a frame of the EtherType with n payload bytes that depend on
// its number. The addresses are not anybody's.
func ethernet(etherType uint16, number, n int) []byte {
	b := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0xaa}
	b = binary.BigEndian.AppendUint16(b, etherType)
	b = binary.BigEndian.AppendUint32(b, uint32(number))
	for i := range n {
		b = append(b, byte(number+i))
	}
	return b
}

// experimental is IEEE Std 802 - Local Experimental Ethertype 1.
const experimental = 0x88b5

func frames(n int) (list [][]byte) {
	for i := range n {
		list = append(list, ethernet(experimental, i, 46+i%1400))
	}
	return list
}
