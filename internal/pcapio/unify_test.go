package pcapio

import (
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestUnify(t *testing.T) {
	const (
		ether = packet.LinkTypeEthernet
		raw   = packet.LinkTypeRaw
		sll   = packet.LinkTypeLinuxSLL
		sll2  = packet.LinkTypeLinuxSLL2
		wifi  = packet.LinkTypeRadiotap
		ppi   = packet.LinkTypePPI
	)
	for _, c := range []struct {
		types []packet.LinkType
		want  packet.LinkType
	}{
		{nil, ether},
		{[]packet.LinkType{wifi}, wifi},
		{[]packet.LinkType{raw, raw, raw}, raw},
		{[]packet.LinkType{ether, raw}, ether},
		{[]packet.LinkType{raw, packet.LinkTypeIPv4, packet.LinkTypeIPv6}, ether},
		{[]packet.LinkType{sll, sll2, packet.LinkTypeNull, packet.LinkTypeLoop, packet.LinkTypePPP, packet.LinkTypePPPEther}, ether},
		{[]packet.LinkType{ether, wifi}, ppi},
		{[]packet.LinkType{wifi, raw}, ppi},
		{[]packet.LinkType{ppi, ppi}, ppi},
		{[]packet.LinkType{ppi, ether}, ppi},
		{[]packet.LinkType{400, 401}, ppi},
	} {
		if got := Unify(c.types); got != c.want {
			t.Errorf("Unify(%v) is %v, want %v", c.types, got, c.want)
		}
	}
}

const (
	zeroAddrs = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	fromMAC   = "\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x01"
	bcastMAC  = "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01"
	ip4       = "\x45the rest of an IPv4 packet"
	ip6       = "\x60the rest of an IPv6 packet"
)

var conversions = map[string]struct {
	from packet.LinkType
	data string
	want string
}{
	"Ethernet":             {packet.LinkTypeEthernet, "as it is", "as it is"},
	"raw IPv4":             {packet.LinkTypeRaw, ip4, zeroAddrs + "\x08\x00" + ip4},
	"raw IPv6":             {packet.LinkTypeRaw, ip6, zeroAddrs + "\x86\xdd" + ip6},
	"raw, neither":         {packet.LinkTypeRaw, "\x00\x01\x02", zeroAddrs + "\x88\xb5\x00\x01\x02"},
	"raw, empty":           {packet.LinkTypeRaw, "", zeroAddrs + "\x88\xb5"},
	"IPv4":                 {packet.LinkTypeIPv4, "\x00broken", zeroAddrs + "\x08\x00\x00broken"},
	"IPv6":                 {packet.LinkTypeIPv6, ip6, zeroAddrs + "\x86\xdd" + ip6},
	"NULL little-endian":   {packet.LinkTypeNull, "\x02\x00\x00\x00" + ip4, zeroAddrs + "\x08\x00" + ip4},
	"NULL big-endian":      {packet.LinkTypeNull, "\x00\x00\x00\x02" + ip4, zeroAddrs + "\x08\x00" + ip4},
	"NULL FreeBSD":         {packet.LinkTypeNull, "\x1c\x00\x00\x00" + ip6, zeroAddrs + "\x86\xdd" + ip6},
	"NULL Windows":         {packet.LinkTypeNull, "\x17\x00\x00\x00" + ip6, zeroAddrs + "\x86\xdd" + ip6},
	"NULL macOS":           {packet.LinkTypeNull, "\x00\x00\x00\x1e" + ip6, zeroAddrs + "\x86\xdd" + ip6},
	"NULL other family":    {packet.LinkTypeNull, "\x07\x00\x00\x00abc", zeroAddrs + "\x88\xb5\x07\x00\x00\x00abc"},
	"NULL cut":             {packet.LinkTypeNull, "\x02\x00\x00", zeroAddrs + "\x88\xb5\x02\x00\x00"},
	"LOOP":                 {packet.LinkTypeLoop, "\x00\x00\x00\x18" + ip6, zeroAddrs + "\x86\xdd" + ip6},
	"SLL":                  {packet.LinkTypeLinuxSLL, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee\x08\x00" + ip4, fromMAC + "\x08\x00" + ip4},
	"SLL broadcast":        {packet.LinkTypeLinuxSLL, "\x00\x01\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee\x08\x06ARP", bcastMAC + "\x08\x06ARP"},
	"SLL without address":  {packet.LinkTypeLinuxSLL, "\x00\x04\x02\x0a\x00\x00\xee\xee\xee\xee\xee\xee\xee\xee\x08\x00" + ip4, zeroAddrs + "\x08\x00" + ip4},
	"SLL short address":    {packet.LinkTypeLinuxSLL, "\x00\x00\x03\x0a\x00\x04\x0a\x00\x00\x01\xee\xee\xee\xee\x08\x00" + ip4, zeroAddrs[:6] + "\x0a\x00\x00\x01\x00\x00\x08\x00" + ip4},
	"SLL long address":     {packet.LinkTypeLinuxSLL, "\x00\x00\x00\x20\x00\x14\x02\x00\x00\x00\x00\x01\x77\x88\x08\x00" + ip4, fromMAC + "\x08\x00" + ip4},
	"SLL with LLC":         {packet.LinkTypeLinuxSLL, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee\x00\x04\x42\x42\x03STP", fromMAC + "\x00\x06\x42\x42\x03STP"},
	"SLL with IPX":         {packet.LinkTypeLinuxSLL, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee\x00\x01\xff\xffIPX", fromMAC + "\x00\x05\xff\xffIPX"},
	"SLL with CAN":         {packet.LinkTypeLinuxSLL, "\x00\x01\x01\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0cCAN", zeroAddrs + "\x88\xb5\x00\x01\x01\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0cCAN"},
	"SLL with netlink":     {packet.LinkTypeLinuxSLL, "\x00\x00\x03\x38\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00NL", zeroAddrs + "\x88\xb5\x00\x00\x03\x38\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00NL"},
	"SLL cut":              {packet.LinkTypeLinuxSLL, "\x00\x00\x00\x01", zeroAddrs + "\x88\xb5\x00\x00\x00\x01"},
	"SLL2":                 {packet.LinkTypeLinuxSLL2, "\x86\xdd\x00\x00\x00\x00\x00\x07\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee" + ip6, fromMAC + "\x86\xdd" + ip6},
	"SLL2 broadcast":       {packet.LinkTypeLinuxSLL2, "\x08\x06\x00\x00\x00\x00\x00\x07\x00\x01\x01\x06\x02\x00\x00\x00\x00\x01\xee\xeeARP", bcastMAC + "\x08\x06ARP"},
	"SLL2 cut":             {packet.LinkTypeLinuxSLL2, "\x08\x00", zeroAddrs + "\x88\xb5\x08\x00"},
	"PPP IPv4":             {packet.LinkTypePPP, "\x00\x21" + ip4, zeroAddrs + "\x08\x00" + ip4},
	"PPP HDLC IPv6":        {packet.LinkTypePPP, "\xff\x03\x00\x57" + ip6, zeroAddrs + "\x86\xdd" + ip6},
	"PPP compressed IPv4":  {packet.LinkTypePPP, "\x21" + ip4, zeroAddrs + "\x08\x00" + ip4},
	"PPP MPLS":             {packet.LinkTypePPP, "\x02\x81label", zeroAddrs + "\x88\x47label"},
	"PPP MPLS upstream":    {packet.LinkTypePPP, "\xff\x03\x02\x83label", zeroAddrs + "\x88\x48label"},
	"PPP LCP":              {packet.LinkTypePPP, "\xff\x03\xc0\x21\x09\x01\x00\x04", zeroAddrs + "\x88\x64\x11\x00\x00\x00\x00\x06\xc0\x21\x09\x01\x00\x04"},
	"PPP compressed other": {packet.LinkTypePPP, "\xfd...", zeroAddrs + "\x88\xb5\xfd..."},
	"PPP cut":              {packet.LinkTypePPP, "\xff\x03\x00", zeroAddrs + "\x88\xb5\xff\x03\x00"},
	"PPPoE":                {packet.LinkTypePPPEther, "\x11\x00\x00\x01\x00\x02\xc0\x21", zeroAddrs + "\x88\x64\x11\x00\x00\x01\x00\x02\xc0\x21"},
	"802.11 came late":     {packet.LinkTypeRadiotap, "radio", zeroAddrs + "\x88\xb5radio"},
}

func TestAppendRecordAsEthernet(t *testing.T) {
	for name, c := range conversions {
		t.Run(name, func(t *testing.T) {
			whole := convert(t, c.data, len(c.data), c.from, packet.LinkTypeEthernet)
			if whole.data != c.want {
				t.Errorf("got  %q\nwant %q", whole.data, c.want)
			}
			if int(whole.origLen) != len(c.want) {
				t.Errorf("original length %d, want %d", whole.origLen, len(c.want))
			}
			// 1000 bytes that were not captured are still missing.
			cut := convert(t, c.data, len(c.data)+1000, c.from, packet.LinkTypeEthernet)
			if len(cut.data) != len(c.want) || int(cut.origLen) != len(c.want)+1000 {
				t.Errorf("%d of %d bytes, want %d of %d", len(cut.data), cut.origLen, len(c.want), len(c.want)+1000)
			}
		})
	}
}

// convert appends one record and returns what gopacket reads of it.
func convert(t *testing.T, data string, origLen int, from, to packet.LinkType) record {
	t.Helper()
	p := packet.Packet{Time: 5000, Data: []byte(data), OrigLen: uint32(origLen)}
	file := AppendRecordAs(AppendHeader(nil, to), &p, from, to)
	got, err := readPcapgo(file)
	if err != nil || len(got) != 1 || got[0].time != 5000 {
		t.Fatalf("%v, %v", got, err)
	}
	if string(p.Data) != data {
		t.Error("the packet was changed")
	}
	return got[0]
}

// Headers that hold a length hold the original one.
func TestConvertedLengths(t *testing.T) {
	llc := "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\xee\xee\x00\x04\x42\x42\x03"
	for _, c := range []struct {
		from    packet.LinkType
		data    string
		origLen int
		want    string
	}{
		{packet.LinkTypeLinuxSLL, llc, 16 + 1500, fromMAC + "\x05\xdc\x42\x42\x03"},
		{packet.LinkTypeLinuxSLL, llc, 16 + 1501, fromMAC + "\x88\x70\x42\x42\x03"}, // jumbo LLC
		{packet.LinkTypePPP, "\xc0\x21", 0xffff, zeroAddrs + "\x88\x64\x11\x00\x00\x00\xff\xff\xc0\x21"},
		{packet.LinkTypePPP, "\xc0\x21", 0x10000, zeroAddrs + "\x88\xb5\xc0\x21"},
	} {
		if got := convert(t, c.data, c.origLen, c.from, packet.LinkTypeEthernet); got.data != c.want {
			t.Errorf("%v of %d bytes: got  %q\nwant %q", c.from, c.origLen, got.data, c.want)
		}
	}
}

func TestAppendRecordAsPPI(t *testing.T) {
	for from, dlt := range map[packet.LinkType]string{
		packet.LinkTypeEthernet:  "\x01\x00",
		packet.LinkTypeRaw:       "\x0c\x00",
		100:                      "\x0b\x00",
		packet.LinkTypeLinuxSLL2: "\x14\x01",
	} {
		got := convert(t, "data", 1000, from, packet.LinkTypePPI)
		if want := "\x00\x00\x08\x00" + dlt + "\x00\x00data"; got.data != want || got.origLen != 1008 {
			t.Errorf("%v: %q of %d bytes, want %q of 1008", from, got.data, got.origLen, want)
		}
	}
	if got := convert(t, "data", 4, packet.LinkTypePPI, packet.LinkTypePPI); got.data != "data" {
		t.Errorf("PPI became %q", got.data)
	}
}

// The largest packets grow beyond what any reader takes; their ends make way.
func TestConvertLargest(t *testing.T) {
	data := ip4 + strings.Repeat("x", packet.MaxLen-len(ip4))
	for to, grown := range map[packet.LinkType]int{packet.LinkTypeEthernet: ethernetLen, packet.LinkTypePPI: ppiLen} {
		p := packet.Packet{Data: []byte(data), OrigLen: packet.MaxLen}
		got, err := readOurs(t, AppendRecordAs(AppendHeader(nil, to), &p, packet.LinkTypeRaw, to))
		if err != nil || len(got) != 1 {
			t.Fatal(err)
		}
		if len(got[0].data) != packet.MaxLen || int(got[0].origLen) != packet.MaxLen+grown || got[0].data[grown:] != data[:packet.MaxLen-grown] {
			t.Errorf("%v: %d of %d bytes", to, len(got[0].data), got[0].origLen)
		}
		// A length on the wire that is as large as can be stays so.
		p = packet.Packet{Data: []byte(ip4), OrigLen: 0xffffffff}
		got, err = readOurs(t, AppendRecordAs(AppendHeader(nil, to), &p, packet.LinkTypeRaw, to))
		if err != nil || got[0].origLen != 0xffffffff {
			t.Errorf("%v: %v", got, err)
		}
	}
}
