package capturetest

import (
	"encoding/binary"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// Send puts frames on an interface as they are.
func Send(t testing.TB, name string, frames ...[]byte) {
	t.Helper()
	sock := sender(t, name)
	defer unix.Close(sock)
	for _, f := range frames {
		if _, err := unix.Write(sock, f); err != nil {
			t.Fatalf("send %d bytes on %s: %v", len(f), name, err)
		}
	}
}

// SendGSO puts a TCP super-frame with an Ethernet and an IPv4 header on an
// interface, as a network stack does that leaves segmentation to the device
// (struct virtio_net_hdr of linux/virtio_net.h).
func SendGSO(t testing.TB, name string, frame []byte, segment uint16) {
	t.Helper()
	sock := sender(t, name)
	defer unix.Close(sock)
	if err := unix.SetsockoptInt(sock, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		t.Fatal("PACKET_VNET_HDR: ", err)
	}
	const needsChecksum, tcpv4 = 1, 1
	header := []byte{needsChecksum, tcpv4}
	header = binary.NativeEndian.AppendUint16(header, 14+20+20) // all headers
	header = binary.NativeEndian.AppendUint16(header, segment)
	header = binary.NativeEndian.AppendUint16(header, 14+20) // where the checksum begins
	header = binary.NativeEndian.AppendUint16(header, 16)    // its place in the TCP header
	if _, err := unix.Write(sock, append(header, frame...)); err != nil {
		t.Fatalf("send a super-frame of %d bytes on %s: %v", len(frame), name, err)
	}
}

// sender opens a packet socket that receives nothing and sends on an interface.
func sender(t testing.TB, name string) int {
	t.Helper()
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	sock, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal("packet socket: ", err)
	}
	if err := unix.Bind(sock, &unix.SockaddrLinklayer{Ifindex: link.Index}); err != nil {
		t.Fatalf("bind to %s: %v", name, err)
	}
	return sock
}
