package afpacket

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
)

// tagged puts VLAN tags into an Ethernet frame, outermost first: TPID, TCI, ...
func tagged(frame []byte, tags ...uint16) []byte {
	b := bytes.Clone(frame[:12])
	for _, v := range tags {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, frame[12:]...)
}

// The kernel takes the outer tag off what it receives; it must be back.
func TestVLANTags(t *testing.T) {
	capturetest.Veth(t, "pcvl0", "pcvl1")
	sender, _ := listen(t, "pcvl0")
	receiver, _ := listen(t, "pcvl1")
	plain := ethernet(experimental, 1, 100)
	sent := [][]byte{
		plain,
		tagged(plain, 0x8100, 0x6123), // priority 3, VLAN 291
		tagged(plain, 0x8100, 0x0000), // priority tag
		tagged(plain, 0x88a8, 0x0064, 0x8100, 0x00), // QinQ, 802.1ad
		tagged(plain, 0x8100, 0x0064, 0x8100, 0x65), // QinQ, as it was before
		tagged(plain, 0x9100, 0x0064, 0x8100, 0x65), // and before that
	}
	capturetest.Send(t, "pcvl0", sent...)
	for _, sink := range []*capturetest.Sink{sender, receiver} {
		sink.Await(t, len(sent))
		for i, p := range sink.Got() {
			if !bytes.Equal(p.Data, sent[i]) || int(p.OrigLen) != len(sent[i]) {
				t.Errorf("packet %d (direction %d) is %x of %d bytes,\nwant %x", i, p.Direction, p.Data, p.OrigLen, sent[i])
			}
		}
	}
}

// A VLAN device shows packets without their tag, and its parent with it.
func TestVLANDevice(t *testing.T) {
	capturetest.Veth(t, "pcvd0", "pcvd1")
	if out, err := ip("link add link pcvd0 name pcvd0.7 type vlan id 7"); err != nil {
		t.Skipf("this kernel has no VLAN devices: %s", out)
	}
	capturetest.IP(t, "link set pcvd0.7 up")
	wire, _ := listen(t, "pcvd1")
	parent, _ := listen(t, "pcvd0")
	upper, _ := listen(t, "pcvd0.7")
	plain := ethernet(experimental, 1, 100)
	capturetest.Send(t, "pcvd0.7", plain)
	for sink, want := range map[*capturetest.Sink][]byte{wire: tagged(plain, 0x8100, 7), parent: tagged(plain, 0x8100, 7), upper: plain} {
		sink.Await(t, 1)
		if got := sink.Got()[0].Data; !bytes.Equal(got, want) {
			t.Errorf("%s shows %x, want %x", sink.Interfaces()[0].Name, got, want)
		}
	}
}

// A super-frame that the device is to cut up is one packet, and comes whole.
func TestSuperFrame(t *testing.T) {
	capturetest.Veth(t, "pcgs0", "pcgs1")
	// The stack gives a device less than 64 KiB at a time, with all headers.
	frame := superFrame(65535 - 14 - 20 - 20)
	for _, name := range []string{"pcgs0", "pcgs1"} {
		t.Run(name, func(t *testing.T) {
			sink := capturetest.NewSink()
			run(t, open(t, Config{Interface: packet.Interface{Name: name}, RingBytes: MinRing}), sink)
			capturetest.SendGSO(t, "pcgs0", frame, 1448)
			sink.Await(t, 1)
			got := sink.Got()[0]
			if int(got.OrigLen) != len(frame) || len(got.Data) != len(frame) || !bytes.Equal(got.Data[54:], frame[54:]) {
				t.Errorf("got %d of %d bytes, sent %d", len(got.Data), got.OrigLen, len(frame))
			}
		})
	}
}

// superFrame makes an Ethernet frame with n bytes of TCP payload over IPv4.
func superFrame(n int) []byte {
	b := []byte{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 8, 0}
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(40+n))
	b = append(b, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
	b = append(b, 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0)
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

func TestSnapLength(t *testing.T) {
	capturetest.Veth(t, "pcsn0", "pcsn1")
	sink := capturetest.NewSink()
	run(t, open(t, Config{Interface: packet.Interface{Name: "pcsn1", SnapLen: 96}}), sink)
	frame := tagged(ethernet(experimental, 1, 500), 0x8100, 7)
	capturetest.Send(t, "pcsn0", frame)
	sink.Await(t, 1)
	if p := sink.Got()[0]; !bytes.Equal(p.Data, frame[:96]) || int(p.OrigLen) != len(frame) {
		t.Errorf("%x of %d bytes", p.Data, p.OrigLen)
	}
	if i := sink.Interfaces()[0]; i.SnapLen != 96 {
		t.Errorf("announced with snap length %d", i.SnapLen)
	}
}

// On the loopback interface every packet is sent and received: it counts once.
func TestLoopbackOnce(t *testing.T) {
	capturetest.NeedNetNS(t)
	capturetest.IP(t, "link set lo up")
	sink, stop := listen(t, "lo")
	a, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for i := range 10 {
		if _, err := a.WriteTo([]byte{byte(i)}, a.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	sink.Await(t, 10)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got := sink.Got()
	if len(got) != 10 {
		t.Fatalf("%d packets for 10 datagrams", len(got))
	}
	for i, p := range got {
		if p.Direction != packet.Inbound || p.Data[len(p.Data)-1] != byte(i) {
			t.Errorf("packet %d: direction %d, %x", i, p.Direction, p.Data)
		}
	}
}

// A tun device carries bare IP, in both directions.
func TestTun(t *testing.T) {
	capturetest.NeedNetNS(t)
	tun := openTun(t, "pctun0")
	capturetest.IP(t, "addr add 192.0.2.1/24 dev pctun0")
	capturetest.IP(t, "link set pctun0 up")
	sink, _ := listen(t, "pctun0")

	inbound := superFrame(100)[14:] // without its Ethernet header
	if _, err := tun.Write(inbound); err != nil {
		t.Fatal(err)
	}
	sink.Await(t, 1)
	out, err := net.Dial("udp4", "192.0.2.9:9")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := out.Write([]byte("outbound")); err != nil {
		t.Fatal(err)
	}
	sink.Await(t, 2)
	got := sink.Got()
	if lt := sink.Interfaces()[0].LinkType; lt != packet.LinkTypeRaw {
		t.Errorf("link type %v, want raw IP", lt)
	}
	var first, second *packet.Packet // an answer to the first may come between
	for i := range got {
		switch {
		case bytes.Equal(got[i].Data, inbound):
			first = &got[i]
		case bytes.HasSuffix(got[i].Data, []byte("outbound")):
			second = &got[i]
		}
	}
	if first == nil || first.Direction != packet.Inbound {
		t.Errorf("what came in is %+v", first)
	}
	if second == nil {
		sink.Await(t, 3)
		got = sink.Got()
		second = &got[2]
	}
	if second.Direction != packet.Outbound || second.Data[0] != 0x45 || len(second.Data) != 20+8+8 {
		t.Errorf("what went out is %+v", second)
	}
}

// openTun makes a tun device that lives until the test ends (tun_tap.rst).
func openTun(t *testing.T, name string) *os.File {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("this machine has no tun devices: ", err)
	}
	var request struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Fatal("TUNSETIFF: ", errno)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { _ = f.Close() })
	return f
}
