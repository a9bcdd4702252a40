package pcapio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/packetcache/packetcache/internal/packet"
)

// FuzzReader reads what may be anything. It must not panic, must keep to its
// bounds, must not depend on how the stream is cut up, and must say truly where
// a file stops making sense.
func FuzzReader(f *testing.F) {
	for _, order := range orders {
		b := newBuilder(order).header(magicMicro, 4, 1)
		f.Add(b.words(uint64(0), uint32(4), uint32(4), "data").file)
		b = newBuilder(order).header(magicModified, 3, 12)
		f.Add(b.words(uint64(0), uint32(4), uint32(60), uint64(0), "data").file)
		b = newBuilder(order).section()
		b.iface(1, 0, b.option(optName, "eth0"), b.option(optTSResol, "\x89"), b.option(optTSOffset, uint64(9)), b.option(optIPv6, strings.Repeat("\x20", 17)))
		b.packet(0, 1, "one", 3, b.option(optFlags, uint32(1)))
		b.block(blockSimplePacket, uint32(5), "three").block(77, "?")
		b.block(blockObsoletePacket, uint32(0), uint64(7), uint32(4), uint32(60), "four")
		f.Add(append(b.file, newBuilder(!order).section().file...))
	}
	file, _, _ := everything()
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		all, err := readOurs(t, file)
		for _, rec := range all {
			if len(rec.data) > packet.MaxLen || int(rec.origLen) < len(rec.data) {
				t.Fatalf("a packet of %d bytes of %d", len(rec.data), rec.origLen)
			}
		}
		if err != nil {
			checkFormatError(t, file, all, err)
		}
		r, newErr := NewReader(iotest.HalfReader(bytes.NewReader(file)))
		if newErr != nil {
			if len(all) > 0 || newErr.Error() != err.Error() {
				t.Fatalf("in pieces: %v, else: %v", newErr, err)
			}
			return
		}
		var p packet.Packet
		n := 0
		for newErr = r.Next(&p); newErr == nil; newErr = r.Next(&p) {
			if n >= len(all) || string(p.Data) != all[n].data {
				t.Fatalf("in pieces: packet %d differs", n)
			}
			n++
		}
		if errors.Is(newErr, io.EOF) {
			newErr = nil
		}
		if fmt.Sprint(newErr) != fmt.Sprint(err) || n != len(all) {
			t.Fatalf("in pieces: %d packets and %v, else: %d and %v", n, newErr, len(all), err)
		}
		if len(r.Interfaces()) > MaxInterfaces || len(r.win.buf) > windowSize {
			t.Fatalf("%d interfaces, a window of %d bytes", len(r.Interfaces()), len(r.win.buf))
		}
	})
}

// FuzzRoundTrip writes a packet in each format and as each link type, and reads
// it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1_700_000_000_123_456_789), []byte(ip4), uint32(1500), uint8(1), uint64(0), uint16(101), "eth0")
	f.Add(int64(-1), []byte(nil), uint32(0), uint8(0), uint64(1), uint16(1), "")
	for _, c := range conversions {
		f.Add(int64(1<<62), []byte(c.data), uint32(70_000), uint8(2), uint64(7), uint16(c.from), "Ethernet 2")
	}
	f.Fuzz(func(t *testing.T, ns int64, data []byte, origLen uint32, direction uint8, drops uint64, link uint16, name string) {
		if len(data) > packet.MaxLen {
			return
		}
		from := knownLinkType(link)
		p := packet.Packet{Time: ns, Data: data, OrigLen: origLen, Direction: packet.Direction(direction % 3)}
		want := record{max(ns, 0), string(data), max(origLen, uint32(len(data))), from}

		ng := AppendSection(nil, &Section{Hardware: name, Comments: []string{name}})
		ng = AppendInterface(ng, &packet.Interface{Name: name, Filter: name, LinkType: from}, name)
		ng = AppendPacket(ng, &p, drops)
		ng = AppendStatistics(ng, &Statistics{Time: ns, Start: ns, End: ns, Dropped: drops, Comments: []string{name}})
		one(t, ng, want)

		seconds, micros := unixMicros(ns)
		want.time = int64(seconds)*second + int64(micros)*1000
		one(t, AppendRecord(AppendHeader(nil, from), &p), want)

		for _, to := range []packet.LinkType{packet.LinkTypeEthernet, packet.LinkTypePPI} {
			file := AppendRecordAs(AppendHeader(nil, to), &p, from, to)
			got, err := readPcapgo(file)
			if err != nil || len(got) != 1 {
				t.Fatalf("to %v: %v, %v", to, got, err)
			}
			ours, _ := readOurs(t, file)
			if d := differ(ours, got); d != "" {
				t.Fatal(d)
			}
			checkPayload(t, got[0], want, from, to)
		}
	})
}

func one(t *testing.T, file []byte, want record) {
	t.Helper()
	got, err := readOurs(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if d := differ(got, []record{want}); d != "" {
		t.Fatal(d)
	}
}

// checkPayload checks that only headers were exchanged: what follows the new
// header is the end of the packet, and the lengths fit.
func checkPayload(t *testing.T, got, want record, from, to packet.LinkType) {
	t.Helper()
	if from == to {
		if got.data != want.data || got.origLen != want.origLen {
			t.Fatalf("%v changed", from)
		}
		return
	}
	headers := []int{ppiLen}
	if to == packet.LinkTypeEthernet {
		headers = []int{ethernetLen, ethernetLen + pppoeLen}
	}
	for _, n := range headers {
		if len(got.data) < n {
			continue
		}
		payload := got.data[n:]
		replaced := len(want.data) - len(payload)
		if len(got.data) == packet.MaxLen && replaced <= n {
			return // cut; TestConvertLargest looks at it
		}
		if replaced < 0 || replaced > sll2Len || want.data[replaced:] != payload {
			continue
		}
		if missing := want.origLen - uint32(len(want.data)); got.origLen-uint32(len(got.data)) == missing || got.origLen == 1<<32-1 {
			return
		}
	}
	t.Fatalf("%v %q became %v %q, %d of %d bytes", from, want.data, to, got.data, len(got.data), got.origLen)
}

// A damaged file that ends early and one whose medium fails are different.
func TestTruncationIsNotDamage(t *testing.T) {
	file := AppendRecord(AppendHeader(nil, 1), &packet.Packet{Data: []byte("data")})
	broken := errors.New("bad sector")
	_, err := NewReader(io.MultiReader(bytes.NewReader(file[:10]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}
