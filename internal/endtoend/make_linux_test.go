package endtoend

import (
	"bufio"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// rawDatagram makes an IPv4 packet with a UDP datagram of session number n, of
// the given length.
func rawDatagram(n, length int) []byte {
	return datagramBytes(n, 4000, length)[14:]
}

// datagram makes an Ethernet frame of session number n and the given length,
// from a source port of the session's to a destination port.
func datagramBytes(n, port, length int) []byte {
	ip := &layers.IPv4{
		Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP,
		SrcIP: []byte{10, byte(n >> 16), byte(n >> 8), byte(n)}, DstIP: []byte{192, 0, 2, 1},
	}
	udp := &layers.UDP{SrcPort: layers.UDPPort(1024 + n%60000), DstPort: layers.UDPPort(port)}
	_ = udp.SetNetworkLayerForChecksum(ip) // fails for other layers only
	payload := make([]byte, length-14-20-8)
	for i := range payload {
		payload[i] = byte(n*7 + i)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{
			SrcMAC: []byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}, DstMAC: []byte{2, 0, 0, 0, 0, 1},
			EthernetType: layers.EthernetTypeIPv4,
		}, ip, udp, gopacket.Payload(payload))
	if err != nil {
		panic(err) // layers that are made right here
	}
	return buf.Bytes()
}

// A maker writes a capture file of Ethernet frames with times in ns.
type maker struct {
	t    testing.TB
	path string
	f    *os.File
	b    *bufio.Writer
	w    *pcapgo.Writer
	all  []record
}

func newMaker(t testing.TB, name string) *maker {
	t.Helper()
	m := &maker{t: t, path: filepath.Join(t.TempDir(), name)}
	var err error
	if m.f, err = os.Create(m.path); err != nil {
		t.Fatal(err)
	}
	m.b = bufio.NewWriter(m.f)
	m.w = pcapgo.NewWriterNanos(m.b)
	if err := m.w.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *maker) add(at time.Time, frame []byte) {
	m.t.Helper()
	info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(frame), Length: len(frame)}
	if err := m.w.WritePacket(info, frame); err != nil {
		m.t.Fatal(err)
	}
	m.all = append(m.all, record{time: at.UnixNano(), data: string(frame), origLen: len(frame), link: layers.LinkTypeEthernet})
}

// done ends the file and returns its path.
func (m *maker) done() string {
	m.t.Helper()
	if err := m.b.Flush(); err != nil {
		m.t.Fatal(err)
	}
	if err := m.f.Close(); err != nil {
		m.t.Fatal(err)
	}
	return m.path
}

// base is when made captures begin.
var base = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// bulk writes a file of about so many bytes: frames of 1400 bytes, a millisecond
// apart, in turn from a number of sessions.
func bulk(t testing.TB, bytes, sessions int) string {
	t.Helper()
	m := newMaker(t, "bulk.pcap")
	templates := make([][]byte, sessions)
	for i := range templates {
		templates[i] = datagramBytes(i, 443, 1400)
	}
	for i := range bytes / 1416 {
		frame := append([]byte(nil), templates[i%sessions]...)
		binary.BigEndian.PutUint32(frame[42:], uint32(i)) // no two are alike
		m.add(base.Add(time.Duration(i)*time.Millisecond), frame)
	}
	m.all = nil
	return m.done()
}
