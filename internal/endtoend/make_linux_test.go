package endtoend

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// datagram makes an Ethernet frame of the given length with a UDP datagram over
// IPv4 from a client, number n, to a port of the server.
func datagram(n, port, length int) []byte { return frameOf(n, port, length, false) }

// frameOf makes a datagram, or one back from the server to the client.
func frameOf(n, port, length int, back bool) []byte {
	ethernet := &layers.Ethernet{
		SrcMAC: []byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}, DstMAC: []byte{2, 0, 0, 0, 0, 1},
		EthernetType: layers.EthernetTypeIPv4,
	}
	ip := &layers.IPv4{
		Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP,
		SrcIP: []byte{10, byte(n >> 16), byte(n >> 8), byte(n)}, DstIP: []byte{192, 0, 2, 1},
	}
	udp := &layers.UDP{SrcPort: layers.UDPPort(1024 + n%60000), DstPort: layers.UDPPort(port)}
	if back {
		ethernet.SrcMAC, ethernet.DstMAC = ethernet.DstMAC, ethernet.SrcMAC
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
		udp.SrcPort, udp.DstPort = udp.DstPort, udp.SrcPort
	}
	_ = udp.SetNetworkLayerForChecksum(ip) // fails for other layers only
	payload := make([]byte, length-14-20-8)
	for i := range payload {
		payload[i] = byte(n*7 + i)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		ethernet, ip, udp, gopacket.Payload(payload))
	if err != nil {
		panic(err) // layers that are made right here
	}
	return buf.Bytes()
}

// rawDatagram makes the IPv4 packet of a datagram without its Ethernet header.
func rawDatagram(n, length int) []byte { return datagram(n, 4000, 14+length)[14:] }

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

// bulk writes a file of about so many bytes; see writeBulk.
func bulk(t testing.TB, bytes, sessions int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bulk.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeBulk(f, bytes, sessions); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// bulkPipe is bulk for more than a disk should hold: a named pipe that gives
// the same bytes to whoever reads it, once.
func bulkPipe(t testing.TB, bytes, sessions int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bulk")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for the reader
		if err != nil {
			return
		}
		defer f.Close()
		_ = writeBulk(f, bytes, sessions) // the reader tells if it is too short
	}()
	return path
}

// writeBulk writes a capture of about so many bytes: requests and answers of
// 1400 bytes, a millisecond apart, of a number of sessions in turn. A quarter of
// each can be compressed.
func writeBulk(to io.Writer, bytes, sessions int) error {
	b := bufio.NewWriterSize(to, 1<<20)
	w := pcapgo.NewWriterNanos(b)
	if err := w.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 1))
	frames := make([][]byte, 2*sessions)
	for i := range frames {
		frames[i] = frameOf(i/2, 443, 1400, i%2 == 1)
	}
	for i := range bytes / 1416 {
		frame := frames[i%len(frames)]
		binary.BigEndian.PutUint32(frame[42:], uint32(i)) // no two are alike
		scramble(frame, random)
		at := base.Add(time.Duration(i) * time.Millisecond)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(frame), Length: len(frame)}, frame); err != nil {
			return err
		}
	}
	return b.Flush()
}

// scramble leaves of a frame only the first quarter as something that can be
// compressed.
func scramble(frame []byte, random *rand.Rand) {
	for at := len(frame) / 4; at+8 <= len(frame); at += 8 {
		binary.BigEndian.PutUint64(frame[at:], random.Uint64())
	}
}
