package pcapio

import (
	"bytes"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestAppendHeader(t *testing.T) {
	got := AppendHeader([]byte("before"), 276)
	want := "before" +
		"\xd4\xc3\xb2\xa1" + "\x02\x00\x04\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" +
		"\x00\x00\x04\x00" + "\x14\x01\x00\x00"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAppendRecord(t *testing.T) {
	p := packet.Packet{Time: 1_700_000_000_123_456_789, Data: []byte("abc"), OrigLen: 1500}
	got := AppendRecord(nil, &p)
	want := "\x00\xf1\x53\x65" + "\x40\xe2\x01\x00" + "\x03\x00\x00\x00" + "\xdc\x05\x00\x00" + "abc"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Times that 32 bits of seconds cannot hold become the nearest that they can.
func TestRecordTimes(t *testing.T) {
	for ns, want := range map[int64]int64{
		math.MinInt64: 0,
		-1:            0,
		0:             0,
		999:           0,
		1000:          1000,
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC).UnixNano(): 2147483648e9,
		4294967295_999_999_999: 4294967295_999_999_000,
		4294967296_000_000_000: 4294967295_999_999_000,
		math.MaxInt64:          4294967295_999_999_000,
	} {
		file := AppendRecord(AppendHeader(nil, 1), &packet.Packet{Time: ns})
		for name, read := range map[string]func([]byte) ([]record, error){
			"ours":     func(b []byte) ([]record, error) { return readOurs(t, b) },
			"gopacket": readPcapgo,
		} {
			if got, err := read(file); err != nil || len(got) != 1 || got[0].time != want {
				t.Errorf("%d ns is read by %s as %v, %v; want %d", ns, name, got, err, want)
			}
		}
	}
	for ns, want := range map[int64]int64{-1: 0, math.MinInt64: 0, math.MaxInt64: math.MaxInt64} {
		file := AppendInterface(AppendSection(nil, &Section{}), &packet.Interface{})
		file = AppendPacket(file, &packet.Packet{Time: ns}, 0)
		if got, err := readOurs(t, file); err != nil || got[0].time != want {
			t.Errorf("%d ns is read from pcapng as %v, %v; want %d", ns, got, err, want)
		}
	}
}

// everything is a pcapng file that uses all that can be written.
func everything() (file []byte, ifaces []packet.Interface, packets []packet.Packet) {
	ifaces = []packet.Interface{
		{
			Name: "Ethernet 2", Description: "Intel(R) Ethernet Connection", LinkType: packet.LinkTypeEthernet,
			MAC: []byte{2, 0, 0, 0, 0, 1}, SnapLen: packet.MaxLen, OS: "Windows 11 24H2", Filter: "not port 5355",
			Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")},
		},
		{
			Name: "tun0", LinkType: packet.LinkTypeEthernet, SnapLen: packet.MaxLen,
			MAC: []byte{2, 0, 0, 0xff, 0xfe, 0, 0, 1}, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/0"), netip.MustParsePrefix("10.0.0.1/32")},
		},
	}
	frame := "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5payload"
	for i := range 8 {
		packets = append(packets, packet.Packet{
			Time: 1_700_000_000_123_456_789 + int64(i), Data: []byte(frame[:len(frame)-i%5]), OrigLen: uint32(len(frame)),
			Interface: packet.InterfaceID(i % 2), Direction: packet.Direction(i % 3),
		})
	}
	file = AppendSection(file, &Section{
		Hardware: "x86-64", OS: "Linux 6.12", Application: "packetcache 1.0",
		Comments: []string{"first", "", "zweiter: ä"},
	})
	file = AppendInterface(file, &ifaces[0], "the last 3 of 10 packets", "", "more")
	file = AppendInterface(file, &ifaces[1])
	for i := range packets {
		file = AppendPacket(file, &packets[i], uint64(i/4))
	}
	for i := range ifaces {
		file = AppendStatistics(file, &Statistics{
			Interface: packet.InterfaceID(i), Start: 1_700_000_000e9, End: 1_700_000_001e9, Time: 1_700_000_002e9,
			Received: 10, Dropped: 4, OSDropped: 2, Comments: []string{"truncated: 2 packets"},
		})
	}
	return file, ifaces, packets
}

func TestAppendPcapng(t *testing.T) {
	file, ifaces, packets := everything()
	got, gotIfaces := readAll(t, bytes.NewReader(file))
	if d := cmp.Diff(packets, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(ifaces, gotIfaces, equalPrefixes); d != "" {
		t.Error(d)
	}
}

// gopacket reads what we wrote, down to the options that our reader ignores.
func TestAppendPcapngGopacket(t *testing.T) {
	file, ifaces, packets := everything()
	stats := 0
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{
		StatisticsCallback: func(i int, s pcapgo.NgInterfaceStatistics) {
			want := pcapgo.NgInterfaceStatistics{
				StartTime: time.Unix(1_700_000_000, 0).UTC(), EndTime: time.Unix(1_700_000_001, 0).UTC(), LastUpdate: time.Unix(1_700_000_002, 0).UTC(),
				Comment: "truncated: 2 packets", PacketsReceived: 10, PacketsDropped: 4,
			}
			if d := cmp.Diff(want, s); i != stats || d != "" {
				t.Errorf("statistics of interface %d: %s", i, d)
			}
			stats++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantSection := pcapgo.NgSectionInfo{Hardware: "x86-64", OS: "Linux 6.12", Application: "packetcache 1.0", Comment: "zweiter: ä"}
	if d := cmp.Diff(wantSection, r.SectionInfo()); d != "" {
		t.Error(d)
	}
	for i := range packets {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		p := packets[i]
		if !bytes.Equal(data, p.Data) || ci.Length != int(p.OrigLen) || ci.Timestamp.UnixNano() != p.Time || ci.InterfaceIndex != int(p.Interface) {
			t.Errorf("packet %d: %v %q", i, ci, data)
		}
	}
	if _, _, err := r.ReadPacketData(); err == nil || stats != 2 {
		t.Errorf("at the end: %v, %d statistics", err, stats)
	}
	got, err := r.Interface(0)
	if err != nil {
		t.Fatal(err)
	}
	want := pcapgo.NgInterface{
		Name: ifaces[0].Name, Description: ifaces[0].Description, LinkType: layers.LinkTypeEthernet, SnapLength: packet.MaxLen,
		TimestampResolution: 9, Comment: "more", Filter: ifaces[0].Filter, OS: ifaces[0].OS, Statistics: got.Statistics,
	}
	if d := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
		return strings.HasPrefix(p.Last().String(), ".secondMask") || strings.HasPrefix(p.Last().String(), ".scale")
	}, cmp.Ignore()), cmp.AllowUnexported(pcapgo.NgInterface{})); d != "" {
		t.Error(d)
	}
}

// Texts that are too long for an option are cut between characters, and the
// block stays sound.
func TestAppendLongTexts(t *testing.T) {
	for shift := range 4 {
		long := strings.Repeat("x", shift) + strings.Repeat("€", 30_000)
		file := AppendSection(nil, &Section{Hardware: long, Comments: []string{long}})
		file = AppendInterface(file, &packet.Interface{Name: long, Filter: long}, long)
		_, ifaces := readAll(t, bytes.NewReader(AppendPacket(file, &packet.Packet{}, 0)))
		if ifaces[0].Filter != "" {
			t.Error("half a filter was written")
		}
		if n := len(ifaces[0].Name); n < maxName-3 || !strings.HasPrefix(long, ifaces[0].Name) {
			t.Errorf("name of %d bytes", n)
		}
		r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if s := r.SectionInfo().Comment; len(s) < maxOption-3 || !utf8.ValidString(s) {
			t.Errorf("comment of %d bytes, valid: %v", len(s), utf8.ValidString(s))
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	_, ifaces, packets := everything()
	section := Section{Hardware: "x86-64", OS: "Linux", Application: "packetcache", Comments: []string{"comment"}}
	statistics := Statistics{Start: 1, End: 2, Time: 3, Received: 4, Comments: []string{"comment"}}
	sll := packet.Packet{Data: make([]byte, 60)}
	buf := make([]byte, 0, 1<<16)
	for name, f := range map[string]func(){
		"AppendHeader":     func() { AppendHeader(buf, packet.LinkTypeEthernet) },
		"AppendRecord":     func() { AppendRecord(buf, &packets[0]) },
		"AppendSection":    func() { AppendSection(buf, &section) },
		"AppendInterface":  func() { AppendInterface(buf, &ifaces[0], "comment") },
		"AppendPacket":     func() { AppendPacket(buf, &packets[1], 7) },
		"AppendStatistics": func() { AppendStatistics(buf, &statistics) },
		"to Ethernet":      func() { AppendRecordAs(buf, &sll, packet.LinkTypeLinuxSLL, packet.LinkTypeEthernet) },
		"to PPI":           func() { AppendRecordAs(buf, &sll, packet.LinkTypeLinuxSLL, packet.LinkTypePPI) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// Reading a packet allocates nothing either, once the window is there.
func TestReadAllocatesNothing(t *testing.T) {
	pcap := AppendHeader(nil, packet.LinkTypeEthernet)
	ng := AppendInterface(AppendSection(nil, &Section{}), &packet.Interface{})
	for range 40_000 {
		p := packet.Packet{Data: make([]byte, 60), Direction: packet.Inbound}
		pcap = AppendRecord(pcap, &p)
		ng = AppendPacket(ng, &p, 0)
	}
	for name, file := range map[string][]byte{"pcap": pcap, "pcapng": ng} {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		batch := make([]packet.Packet, 256)
		total := 0
		read := func() {
			n, err := r.Batch(batch)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
		read()
		if n := testing.AllocsPerRun(100, read); n != 0 || total < 20_000 {
			t.Errorf("%s: %v allocations a batch, %d packets", name, n, total)
		}
	}
}
