package npcap

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

// What is gathered comes out whole and in order, though each packet is gone
// when the next is read.
func TestGatherer(t *testing.T) {
	sink := capturetest.NewSink()
	id, err := sink.Interface(packet.Interface{Name: "Ethernet"})
	if err != nil {
		t.Fatal(err)
	}
	g := &gatherer{sink: sink}
	random := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	buf := make([]byte, packet.MaxLen)
	for i := range 3000 {
		n := random.IntN(1500)
		switch i % 100 {
		case 7:
			n = gatherBytes - 1 + random.IntN(3)
		case 50:
			n = packet.MaxLen
		}
		for at := range buf[:min(n, 64)] {
			buf[at] = byte(random.Uint32())
		}
		want = append(want, bytes.Clone(buf[:n]))
		g.add(packet.Packet{Time: int64(i), Data: buf[:n], OrigLen: uint32(n), Interface: id})
		clear(buf[:n])
	}
	g.flush()
	g.flush() // nothing is left: no empty batch
	got := sink.Got()
	if len(got) != len(want) {
		t.Fatalf("%d packets came, want %d", len(got), len(want))
	}
	for i, p := range got {
		if p.Time != int64(i) || !bytes.Equal(p.Data, want[i]) {
			t.Fatalf("packet %d has the time %d and %d bytes, want %d", i, p.Time, len(p.Data), len(want[i]))
		}
	}
	for _, complaint := range sink.Complaints() {
		t.Error(complaint)
	}
}

// nowhere is a sink that keeps nothing.
type nowhere struct{ packets int }

func (*nowhere) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }
func (n *nowhere) Packets(batch []packet.Packet)                        { n.packets += len(batch) }

func TestGathererDoesNotAllocate(t *testing.T) {
	sink := &nowhere{}
	g := &gatherer{sink: sink}
	p := packet.Packet{Data: make([]byte, 700)}
	if n := testing.AllocsPerRun(100, func() {
		for range 100 {
			g.add(p)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 100 packets", n)
	}
}
