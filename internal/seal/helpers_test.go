package seal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// day is when the packets of the tests were seen.
var day = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// A cached packet is one with what the cache knows of it besides.
type cached struct {
	packet.Packet
	tie uint16
}

// A sealed cache as the tests make it up.
type sample struct {
	head     Head
	segments []record.Segment
	packets  []cached // of all segments, in the order of time; interfaces as in File.Interfaces
	end      End
}

// interfaces are those of the samples. The second table has one of the first
// under another number.
func tables() [][]packet.Interface {
	eth := packet.Interface{
		Name: "eth0", Description: "wired", Index: 2, LinkType: packet.LinkTypeEthernet,
		MAC: []byte{2, 0, 0, 0, 0, 1}, Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("2001:db8::7/64")},
		OS: "linux", Filter: "not port 22", SnapLen: 262144,
	}
	return [][]packet.Interface{
		{eth, {Name: "tun0", LinkType: packet.LinkTypeRaw}, {Name: "wlan0", LinkType: packet.LinkTypeEthernet}, {Name: "eth1", LinkType: packet.LinkTypeEthernet}},
		{{Name: "wlan0", LinkType: packet.LinkTypeEthernet, Index: 7}, eth},
	}
}

// newSample makes up a cache with logs of this many segments, whose packets
// overlap in time. Data are as packets of some protocols are: easily compressed in
// some logs, not at all in others.
func newSample(r *rand.Rand, segments ...int) *sample {
	lost := 3 * time.Hour
	s := &sample{head: Head{
		Program: "PacketCache 1.2.3", Host: "web01", Saved: day.Add(time.Hour), Final: true,
		State: record.State{
			Age: 26 * time.Hour, Tables: tables(),
			Rules: []record.Rule{{Filter: "port 53", Factor: 4, Since: time.Hour}},
		},
		Coverage: []Coverage{{Time: day, Kind: "start", Text: "the service started"}, {Time: day, Kind: "up", Interface: "eth0", Text: "captured"}},
	}}
	numbers := [][]packet.InterfaceID{{0, 1, 2, 3}, {2, 0}}
	for class, n := range segments {
		log := record.Log{Class: class, Factor: 1, Segments: n, Newest: time.Second, Lost: &lost}
		if class == 1 {
			log.Late = &record.Span{Oldest: time.Minute, Newest: time.Second}
			log.Lost = nil
		}
		for i := range n {
			seg, packets := newSegment(r, class, day.Add(-time.Duration(i)*time.Minute))
			log.Packets += uint64(seg.Records)
			log.Bytes += seg.Captured
			s.segments = append(s.segments, seg)
			for _, p := range packets {
				p.Interface = numbers[seg.Table][p.Interface]
				s.packets = append(s.packets, p)
			}
			s.end.Segments++
			s.end.Packets += uint64(seg.Records)
			s.end.Bytes += seg.Captured
		}
		s.head.State.Logs = append(s.head.State.Logs, log)
	}
	slices.SortStableFunc(s.packets, func(a, b cached) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.tie, b.tie)) })
	return s
}

// newSegment makes up one segment of a class, whose newest packet is of about
// that time. Odd classes are raw, and every third one is out of order.
func newSegment(r *rand.Rand, class int, newest time.Time) (record.Segment, []cached) {
	table := r.IntN(2)
	var list []cached
	at := newest.Add(-2*time.Minute).UnixNano() + r.Int64N(1e9)
	tie := uint16(0)
	interfaces := []packet.InterfaceID{0, 1}
	if table == 0 && class%4 == 2 {
		interfaces = []packet.InterfaceID{0, 1, 2, 3}
	}
	for range 1 + r.IntN(60) {
		switch r.IntN(4) {
		case 0:
			tie++
		case 1:
			at, tie = at+int64(r.IntN(1e9)), 0 // ns
		default:
			at, tie = at+1000*int64(1+r.IntN(1e6)), 0 // µs
		}
		data := bytes.Repeat([]byte{byte(class)}, r.IntN(1500))
		if class%2 == 1 {
			binary.LittleEndian.PutUint64(append(data, make([]byte, 8)...)[:8], r.Uint64())
			for i := range data {
				data[i] = byte(r.Uint32())
			}
		}
		p := packet.Packet{Time: at, Data: data, OrigLen: uint32(len(data)), Interface: interfaces[r.IntN(len(interfaces))], Direction: packet.Direction(r.IntN(3))}
		if r.IntN(8) == 0 {
			p.OrigLen += 100
		}
		list = append(list, cached{p, tie})
	}
	if class%3 == 0 && len(list) > 1 {
		i := r.IntN(len(list) - 1)
		list[i], list[i+1] = list[i+1], list[i]
	}
	seg := pack(list, class%2 == 0)
	seg.Log, seg.Table = class, table
	seg.Newest = day.Sub(newest) + time.Second
	return seg, list
}

// pack makes a segment of packets.
func pack(list []cached, compressed bool) record.Segment {
	var s record.Segment
	var raw []byte
	from := record.Base{None: true}
	shares := map[packet.InterfaceID]record.Share{}
	for i := range list {
		p := &list[i].Packet
		var room [record.Room]byte
		n := record.Put(room[:], p, list[i].tie, from, false)
		raw = append(append(raw, room[:n]...), p.Data...)
		if i == 0 {
			s.MinTime, s.MaxTime = p.Time, p.Time
		} else if p.Time < s.MaxTime || p.Time == list[i-1].Time && list[i].tie < list[i-1].tie {
			s.Disordered = true
		}
		s.MinTime, s.MaxTime = min(s.MinTime, p.Time), max(s.MaxTime, p.Time)
		s.Captured += uint64(len(p.Data))
		s.Records++
		from = record.Base{Time: p.Time, Interface: p.Interface}
		share := shares[p.Interface]
		share.Interface = p.Interface
		share.Packets++
		share.Bytes += uint32(len(p.Data))
		shares[p.Interface] = share
	}
	s.Size, s.Data = len(raw), raw
	s.Many = len(shares) > record.MaxShares
	for id := range packet.InterfaceID(1 << 8) {
		if share, ok := shares[id]; ok && !s.Many {
			s.Shares = append(s.Shares, share)
		}
	}
	if !compressed {
		return s
	}
	s.Codec, s.Data = record.Zstd, nil
	if s.Many {
		for _, share := range shares {
			s.Data = binary.LittleEndian.AppendUint16(s.Data, uint16(share.Interface))
			s.Data = binary.LittleEndian.AppendUint16(s.Data, share.Packets)
			s.Data = binary.LittleEndian.AppendUint32(s.Data, share.Bytes)
			s.Tallies++
		}
	}
	s.Data = encoder.EncodeAll(raw, s.Data)
	return s
}

var encoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10), zstd.WithEncoderCRC(true))

// keys are a machine identity and a recovery one.
type keys struct{ machine, recovery *age.X25519Identity }

func newKeys(t testing.TB) keys {
	t.Helper()
	var k keys
	for _, to := range []**age.X25519Identity{&k.machine, &k.recovery} {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		*to = id
	}
	return k
}

func (k keys) name() string { return k.machine.Recipient().String() }

func (k keys) recipients() []age.Recipient {
	return []age.Recipient{k.machine.Recipient(), k.recovery.Recipient()}
}

// seal writes the sample.
func (s *sample) seal(t testing.TB, k keys) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, k.name(), k.recipients(), &s.head)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.segments {
		if err := w.Segment(&s.segments[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(s.end); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// readAll reads segments until an error, which is returned.
func readAll(r *Reader) (list []record.Segment, err error) {
	for {
		var s record.Segment
		if err := r.Next(&s); err != nil {
			return list, err
		}
		s.Data = bytes.Clone(s.Data)
		list = append(list, s)
	}
}

// packetsOf reads all packets of a file in the order of time.
func packetsOf(f *File, since, until int64) (list []packet.Packet, err error) {
	p, err := f.Packets(since, until)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var pkt packet.Packet
	for p.Next(&pkt) {
		pkt.Data = bytes.Clone(pkt.Data)
		list = append(list, pkt)
	}
	if lost, why := p.Lost(); why != nil {
		return list, fmt.Errorf("%d packets lost: %w", lost.Packets, why)
	}
	return list, nil
}

// diff says where two lists of packets first differ.
func diff(got []packet.Packet, want []cached) error {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			return fmt.Errorf("%d packets, want %d", len(got), len(want))
		}
		g, w := &got[i], &want[i].Packet
		if g.Time != w.Time || !bytes.Equal(g.Data, w.Data) || g.OrigLen != w.OrigLen || g.Interface != w.Interface || g.Direction != w.Direction {
			return fmt.Errorf("packet %d of %d is of %d with %d of %d bytes at %d, want %d with %d of %d at %d",
				i, len(want), g.Time, len(g.Data), g.OrigLen, g.Interface, w.Time, len(w.Data), w.OrigLen, w.Interface)
		}
	}
	return nil
}

// isDamage reports whether an error is one, and not the end of the file.
func isDamage(err error) bool {
	var damage *DamageError
	return errors.As(err, &damage) && !errors.Is(err, io.EOF)
}
