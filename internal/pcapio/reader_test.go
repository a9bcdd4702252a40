package pcapio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packetcache/packetcache/internal/packet"
)

var orders = map[string]byteOrder{"little-endian": littleEndian, "big-endian": bigEndian}

// readAll returns every packet of file, copied, and its interfaces.
func readAll(t *testing.T, src io.Reader) ([]packet.Packet, []packet.Interface) {
	t.Helper()
	r, err := NewReader(src)
	if err != nil {
		t.Fatal(err)
	}
	var all []packet.Packet
	for {
		var p packet.Packet
		if err := r.Next(&p); errors.Is(err, io.EOF) {
			return all, r.Interfaces()
		} else if err != nil {
			t.Fatal(err)
		}
		p.Data = bytes.Clone(p.Data)
		all = append(all, p)
	}
}

var equalPrefixes = cmpopts.EquateComparable(netip.Prefix{})

func TestReadClassic(t *testing.T) {
	type file struct {
		magic  uint32
		minor  uint16
		link   uint32
		record []any
		want   packet.Packet
		iface  packet.Interface
	}
	ethernet := packet.Interface{LinkType: packet.LinkTypeEthernet, SnapLen: 65535}
	data := func(s string) []byte { return []byte(s) }
	for name, f := range map[string]file{
		"µs": {magicMicro, 4, 1, []any{uint32(10), uint32(999_999), uint32(3), uint32(60), "abc"},
			packet.Packet{Time: 10_999_999_000, Data: data("abc"), OrigLen: 60}, ethernet},
		"ns": {magicNano, 4, 1, []any{uint32(10), uint32(999_999_999), uint32(3), uint32(60), "abc"},
			packet.Packet{Time: 10_999_999_999, Data: data("abc"), OrigLen: 60}, ethernet},
		"Kuznetzov's records": {magicModified, 4, 1, []any{uint32(10), uint32(1), uint32(3), uint32(60), uint32(2), uint16(0x800), byte(0), byte(0), "abc"},
			packet.Packet{Time: 10_000_001_000, Data: data("abc"), OrigLen: 60}, ethernet},
		"seconds are unsigned": {magicMicro, 4, 1, []any{^uint32(0), uint32(0), uint32(3), uint32(60), "abc"},
			packet.Packet{Time: 4294967295e9, Data: data("abc"), OrigLen: 60}, ethernet},
		"original length too small": {magicMicro, 4, 1, []any{uint32(0), uint32(0), uint32(3), uint32(0), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 3}, ethernet},
		"version 2.2 swaps the lengths": {magicMicro, 2, 1, []any{uint32(0), uint32(0), uint32(60), uint32(3), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 60}, ethernet},
		"version 2.3 swaps them": {magicMicro, 3, 1, []any{uint32(0), uint32(0), uint32(60), uint32(3), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 60}, ethernet},
		"version 2.3 does not": {magicMicro, 3, 1, []any{uint32(0), uint32(0), uint32(3), uint32(60), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 60}, ethernet},
		"FCS length above the link type": {magicMicro, 4, 0x24000001, []any{uint32(0), uint32(0), uint32(3), uint32(60), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 60}, ethernet},
		"DLT_RAW of Linux": {magicMicro, 4, 12, []any{uint32(0), uint32(0), uint32(3), uint32(60), "abc"},
			packet.Packet{Data: data("abc"), OrigLen: 60}, packet.Interface{LinkType: packet.LinkTypeRaw, SnapLen: 65535}},
		"empty packet": {magicMicro, 4, 1, []any{uint32(0), uint32(0), uint32(0), uint32(60)},
			packet.Packet{Data: data(""), OrigLen: 60}, ethernet},
	} {
		for orderName, order := range orders {
			t.Run(name+" "+orderName, func(t *testing.T) {
				b := newBuilder(order).header(f.magic, f.minor, f.link).words(f.record...)
				got, ifaces := readAll(t, iotest.OneByteReader(bytes.NewReader(b.file)))
				if d := cmp.Diff([]packet.Packet{f.want}, got); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff([]packet.Interface{f.iface}, ifaces, equalPrefixes); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestReadPcapng(t *testing.T) {
	for orderName, order := range orders {
		t.Run(orderName, func(t *testing.T) {
			b := newBuilder(order)
			b.section()
			b.block(0x0badbeef, "nobody knows this one") // unknown blocks are passed over
			b.iface(1, 0,
				b.option(optComment, "ignored"),
				b.option(optName, "eth0\x00\x00"),
				b.option(optDescription, "a \x1b[31mred\xff card"),
				b.option(optMAC, "\x02\x00\x00\x00\x00\x01"),
				b.option(optIPv4, "\xc0\x00\x02\x01\xff\xff\xff\x00"),
				b.option(optIPv4, "\xc0\x00\x02\x01\xff\x00\xff\x00"), // no netmask
				b.option(optIPv4, "short"),
				b.option(optIPv6, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x40"),
				b.option(optFilter, "\x00tcp port 80"),
				b.option(optOS, "Plan 9"),
				b.option(optTSResol, "\x09"),
				b.option(optEnd))
			b.iface(12, 96, b.option(optEUI, "\x02\x00\x00\xff\xfe\x00\x00\x01"), b.option(optFilter, "\x01bpf"))
			b.packet(0, 1_700_000_000_123_456_789, "first", 1500, b.option(optComment, "hi"), b.option(optFlags, uint32(2)), b.option(optEnd))
			b.packet(1, 1_700_000_000_123_456, "second", 6, b.option(optFlags, uint32(0x21)))
			b.block(blockSimplePacket, uint32(5), "thirdxxx")
			b.block(blockObsoletePacket, uint16(1), uint16(0xffff), uint32(0), uint32(7), uint32(6), uint32(60), "fourth\x00\x00", b.option(optFlags, uint32(3)))
			// A new section in the other byte order counts interfaces anew.
			o := newBuilder(!order)
			o.section()
			o.iface(113, 4)
			o.block(blockSimplePacket, uint32(90), "fifth, of 4 bytes")
			file := append(b.file, o.file...)

			got, ifaces := readAll(t, bytes.NewReader(file))
			want := []packet.Packet{
				{Time: 1_700_000_000_123_456_789, Data: []byte("first"), OrigLen: 1500, Direction: packet.Outbound},
				{Time: 1_700_000_000_123_456_000, Data: []byte("second"), OrigLen: 6, Interface: 1, Direction: packet.Inbound},
				{Data: []byte("third"), OrigLen: 5},
				{Time: 7000, Data: []byte("fourth"), OrigLen: 60, Interface: 1},
				{Data: []byte("fift"), OrigLen: 90, Interface: 2},
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			wantIfaces := []packet.Interface{
				{
					Name: "eth0", Description: "a  [31mred card", LinkType: packet.LinkTypeEthernet,
					MAC:    []byte{2, 0, 0, 0, 0, 1},
					Addrs:  []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")},
					Filter: "tcp port 80", OS: "Plan 9",
				},
				{LinkType: packet.LinkTypeRaw, SnapLen: 96, MAC: []byte{2, 0, 0, 0xff, 0xfe, 0, 0, 1}},
				{LinkType: packet.LinkTypeLinuxSLL, SnapLen: 4},
			}
			if d := cmp.Diff(wantIfaces, ifaces, equalPrefixes); d != "" {
				t.Error(d)
			}
		})
	}
}

// Files of one capture that were put end to end describe the same interfaces
// again and again; they must not count as new ones until there are too many.
func TestReadManySections(t *testing.T) {
	b := newBuilder(littleEndian)
	for i := range 3000 {
		b.section()
		b.iface(1, 0, b.option(optName, "eth0"))
		b.iface(1, 0, b.option(optName, "eth0")) // twice in a section: two interfaces
		b.iface(1, 0, b.option(optName, fmt.Sprint("alternating", i%2)))
		b.packet(2, 1, "x", 1)
	}
	got, ifaces := readAll(t, bytes.NewReader(b.file))
	if len(got) != 3000 || len(ifaces) != 4 {
		t.Fatalf("%d packets of %d interfaces, want 3000 of 4", len(got), len(ifaces))
	}
	for i, p := range got {
		if want := fmt.Sprint("alternating", i%2); ifaces[p.Interface].Name != want {
			t.Fatalf("packet %d is of %s, want %s", i, ifaces[p.Interface].Name, want)
		}
	}
}

// A block that is larger than the window can be passed over, however the
// stream is cut up.
func TestReadLargeUnknownBlock(t *testing.T) {
	b := newBuilder(littleEndian)
	b.section().iface(1, 0).packet(0, 1, "before", 6)
	b.block(0x77, make([]byte, 3*windowSize))
	b.packet(0, 2, "after", 5)
	for _, src := range []io.Reader{
		bytes.NewReader(b.file),
		iotest.HalfReader(bytes.NewReader(b.file)),
		iotest.DataErrReader(bytes.NewReader(b.file)),
	} {
		if got, _ := readAll(t, src); len(got) != 2 || string(got[1].Data) != "after" {
			t.Errorf("read %v", got)
		}
	}
	if got, err := readOurs(t, b.file); len(got) != 2 || err != nil {
		t.Errorf("batch: %v, %v", got, err)
	}
}

func TestOffset(t *testing.T) {
	file := AppendRecord(AppendHeader(nil, 1), &packet.Packet{Data: []byte("data")})
	r, err := NewReader(bytes.NewReader(file))
	if err != nil || r.Offset() != fileHeaderLen {
		t.Fatalf("%v, offset %d", err, r.Offset())
	}
	if n, err := r.Batch(nil); n != 0 || err != nil || r.Offset() != fileHeaderLen {
		t.Errorf("an empty batch: %d, %v, offset %d", n, err, r.Offset())
	}
	var p packet.Packet
	if err := r.Next(&p); err != nil || r.Offset() != int64(len(file)) {
		t.Errorf("%v, offset %d, want %d", err, r.Offset(), len(file))
	}
}

// Batch must hand out packets that all stay as they are until the next call,
// and not wait for more of a stream than the first.
func TestBatchFromPipe(t *testing.T) {
	src, dst := io.Pipe()
	go func() {
		dst.Write(AppendHeader(nil, packet.LinkTypeEthernet))
		for i := range 3 {
			var two []byte
			for j := range 2 {
				two = AppendRecord(two, &packet.Packet{Data: fmt.Appendf(nil, "packet %d.%d", i, j)})
			}
			dst.Write(append(two, 1, 2, 3)) // and the beginning of another
			dst.Write([]byte{4, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 'a', 'b', 'c'})
		}
		dst.CloseWithError(errors.New("unplugged"))
	}()
	r, err := NewReader(src)
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]packet.Packet, 10)
	var got []string
	for {
		n, err := r.Batch(batch)
		if err != nil {
			if n != 0 || !strings.Contains(err.Error(), "byte 237: cannot read the record header: unplugged") {
				t.Errorf("%d packets and %v", n, err)
			}
			var format *FormatError
			if errors.As(err, &format) {
				t.Errorf("a fault of the medium became a FormatError: %v", err)
			}
			break
		}
		if n > 3 {
			t.Errorf("a batch of %d packets waited for the writer", n)
		}
		for _, p := range batch[:n] {
			got = append(got, string(p.Data))
		}
	}
	want := "packet 0.0 packet 0.1 abc packet 1.0 packet 1.1 abc packet 2.0 packet 2.1 abc"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if n, err := r.Batch(batch); n != 0 || err == nil {
		t.Errorf("the error did not stay: %d, %v", n, err)
	}
}

func TestReadSilentSource(t *testing.T) {
	_, err := NewReader(iotest.ErrReader(nil)) // returns 0, nil for ever
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

// What makes no sense after a packet's bytes does not cost the packet.
func TestReadBadPacketOptions(t *testing.T) {
	b := newBuilder(littleEndian).section().iface(1, 0)
	b.packet(0, 1, "one", 3, []byte{2, 0, 0xff, 0xff})
	b.packet(0, 1, "two", 3, []byte{2, 0, 1, 0, 1, 0, 0, 0}, b.option(optFlags, uint32(1)))
	got, _ := readAll(t, bytes.NewReader(b.file))
	if len(got) != 2 || got[0].Direction != packet.DirectionUnknown || got[1].Direction != packet.Inbound {
		t.Errorf("got %v", got)
	}
}

func TestTooManyInterfaces(t *testing.T) {
	for name, sections := range map[string]int{"in one section": 1, "in several": 8} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder(littleEndian).section()
			for i := range MaxInterfaces {
				if i > 0 && i%(MaxInterfaces/sections) == 0 {
					b.section()
				}
				b.iface(1, uint32(i))
			}
			if _, err := readOurs(t, b.packet(0, 1, "x", 1).file); err != nil {
				t.Fatal(err)
			}
			at := int64(len(b.file))
			got, err := readOurs(t, b.iface(1, MaxInterfaces).file)
			var format *FormatError
			if len(got) != 1 || !errors.As(err, &format) || format.Offset != at {
				t.Errorf("%d packets, %v, want an error at byte %d", len(got), err, at)
			}
		})
	}
}
