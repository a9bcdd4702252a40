package npcap

import (
	"bytes"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestPacket(t *testing.T) {
	data := []byte("twelve bytes")
	for _, test := range []struct {
		name    string
		header  header
		nano    bool
		ok      bool
		time    int64
		origLen uint32
	}{
		{"microseconds", header{seconds: 5, fraction: 7, captured: 12, length: 12}, false, true, 5_000_007_000, 12},
		{"nanoseconds", header{seconds: 5, fraction: 7, captured: 12, length: 12}, true, true, 5_000_000_007, 12},
		{"cut", header{captured: 4, length: 1500}, false, true, 0, 1500},
		{"shorter than itself", header{captured: 12, length: 3}, false, true, 0, 12},
		{"empty", header{}, false, true, 0, 0},
		{"after 2038", header{seconds: 1 << 31}, false, true, 1 << 31 * 1e9, 0},
		{"too long", header{captured: packet.MaxLen + 1, length: packet.MaxLen + 1}, false, false, 0, 0},
		{"longer than can be", header{captured: 1<<32 - 1, length: 1}, false, false, 0, 0},
	} {
		p, ok := test.header.packet(&data[0], test.nano)
		if ok != test.ok || p.Time != test.time || p.OrigLen != test.origLen {
			t.Errorf("%s: %v, time %d, length %d; want %v, %d, %d", test.name, ok, p.Time, p.OrigLen, test.ok, test.time, test.origLen)
		}
		if ok && !bytes.Equal(p.Data, data[:test.header.captured]) {
			t.Errorf("%s: data %q", test.name, p.Data)
		}
	}
	if _, ok := (&header{captured: 1, length: 1}).packet(nil, false); ok {
		t.Error("a packet was made of nothing")
	}
}

func TestLinkTypeOf(t *testing.T) {
	for dlt, want := range map[int32]packet.LinkType{
		0: packet.LinkTypeNull, 1: packet.LinkTypeEthernet, 9: packet.LinkTypePPP, 11: 100, 12: packet.LinkTypeRaw,
		50: packet.LinkTypePPPHDLC, 105: packet.LinkType80211, 127: packet.LinkTypeRadiotap, 192: packet.LinkTypePPI,
	} {
		if got := linkTypeOf(dlt); got != want {
			t.Errorf("DLT %d is %v, want %v", dlt, got, want)
		}
	}
}

func TestDirection(t *testing.T) {
	ours, other := []byte{2, 0, 0, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 2}
	all := bytes.Repeat([]byte{0xff}, 6)
	for _, test := range []struct {
		name     string
		lt       packet.LinkType
		dst, src []byte
		want     packet.Direction
	}{
		{"from us", packet.LinkTypeEthernet, other, ours, packet.Outbound},
		{"to us", packet.LinkTypeEthernet, ours, other, packet.Inbound},
		{"to ourselves", packet.LinkTypeEthernet, ours, ours, packet.Outbound},
		{"from us to all", packet.LinkTypeEthernet, all, ours, packet.Outbound},
		{"to all", packet.LinkTypeEthernet, all, other, packet.DirectionUnknown},
		{"cut", packet.LinkTypeEthernet, ours, nil, packet.DirectionUnknown},
		{"no Ethernet", packet.LinkTypeRaw, ours, other, packet.DirectionUnknown},
	} {
		if got := direction(test.lt, ours, append(bytes.Clone(test.dst), test.src...)); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if got := direction(packet.LinkTypeEthernet, nil, make([]byte, 14)); got != packet.DirectionUnknown {
		t.Errorf("without an address of its own: %d", got)
	}
}

func TestDeviceKey(t *testing.T) {
	for name, want := range map[string]string{
		`\Device\NPF_{0a1b2c3d-0000-1111-2222-333344445555}`: "{0A1B2C3D-0000-1111-2222-333344445555}",
		`\Device\NPF_Loopback`:                               Loopback,
		`\Device\NPF_GenericDialupAdapter`:                   "",
		`rpcap://eth0`:                                       "",
		"":                                                   "",
	} {
		if got, ok := deviceKey(name); ok != (want != "") || ok && got != want {
			t.Errorf("%q has the key %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestKernelBytes(t *testing.T) {
	for _, ring := range []int{0, MinRing, 1 << 20, 64 << 20} {
		kernel := kernelBytes(ring)
		if total := kernel + userBytes + gatherBytes; total != max(ring, MinRing) || kernel < 128<<10 {
			t.Errorf("of %d bytes the driver gets %d, in all %d are used", ring, kernel, total)
		}
	}
}
