package afpacket

import (
	"bytes"
	"testing"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

func TestContract(t *testing.T) {
	capturetest.Veth(t, "pcct0", "pcct1")
	sent := frames(1000)
	capturetest.TestSource(t, func(t *testing.T) capturetest.Subject {
		return capturetest.Subject{
			Source:   open(t, Config{Interface: packet.Interface{Name: "pcct1"}, RingBytes: 2 << 20}),
			Packets:  len(sent),
			Contents: sent,
			Feed:     func(t *testing.T) { capturetest.Send(t, "pcct0", sent...) },
		}
	})
}

// What one end sends the other receives: each interface shows it once.
func TestSentAndReceivedOnceEach(t *testing.T) {
	capturetest.Veth(t, "pcsr0", "pcsr1")
	sender, _ := listen(t, "pcsr0")
	receiver, _ := listen(t, "pcsr1")
	sent := frames(300)
	capturetest.Send(t, "pcsr0", sent...)
	for _, side := range []struct {
		sink      *capturetest.Sink
		direction packet.Direction
	}{{sender, packet.Outbound}, {receiver, packet.Inbound}} {
		side.sink.Await(t, len(sent))
		got := side.sink.Got()
		if len(got) != len(sent) {
			t.Fatalf("%d packets, want %d", len(got), len(sent))
		}
		for i, p := range got {
			if !bytes.Equal(p.Data, sent[i]) || p.OrigLen != uint32(len(sent[i])) {
				t.Fatalf("packet %d is %x (of %d bytes), want %x", i, p.Data, p.OrigLen, sent[i])
			}
			if p.Direction != side.direction {
				t.Fatalf("packet %d has direction %d, want %d", i, p.Direction, side.direction)
			}
		}
	}
	if lt := receiver.Interfaces()[0].LinkType; lt != packet.LinkTypeEthernet {
		t.Errorf("link type is %v, want Ethernet", lt)
	}
}
