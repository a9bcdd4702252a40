package session

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/packetcache/packetcache/internal/packet"
)

// A tuple is a session as gopacket's layers tell it.
type tuple struct {
	protocol     uint16
	a, b         netip.Addr
	portA, portB uint16
	reverse      bool
}

func (t tuple) String() string {
	return fmt.Sprintf("%d %v:%d %v:%d reverse %v", t.protocol, t.a, t.portA, t.b, t.portB, t.reverse)
}

var firstLayer = map[packet.LinkType]gopacket.LayerType{
	packet.LinkTypeEthernet: layers.LayerTypeEthernet,
	packet.LinkTypeNull:     layers.LayerTypeLoopback,
	packet.LinkTypeLoop:     layers.LayerTypeLoopback,
	packet.LinkTypePPP:      layers.LayerTypePPP,
	packet.LinkTypeLinuxSLL: layers.LayerTypeLinuxSLL,
	packet.LinkTypeRadiotap: layers.LayerTypeRadioTap,
	packet.LinkType80211:    layers.LayerTypeDot11,
	packet.LinkTypeIPv4:     layers.LayerTypeIPv4,
	packet.LinkTypeIPv6:     layers.LayerTypeIPv6,
}

// oracle returns the innermost session that gopacket sees without looking
// into UDP, whose payload we take for the session's own. It reports false
// where it has no decoder, gives up, or sees no IP. Fragments are left to
// other tests.
func oracle(lt packet.LinkType, data []byte) (t tuple, ok bool) {
	first, known := firstLayer[lt]
	if lt == packet.LinkTypeRaw && len(data) > 0 {
		first, known = layers.LayerTypeIPv4, true
		if data[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
	}
	if !known {
		return t, false
	}
	var src, dst netip.Addr
	var sport, dport uint16
	p := gopacket.NewPacket(data, first, gopacket.DecodeOptions{Lazy: false, NoCopy: true})
walk:
	for _, layer := range p.Layers() {
		switch l := layer.(type) {
		case *layers.IPv4:
			src, _ = netip.AddrFromSlice(l.SrcIP.To4())
			dst, _ = netip.AddrFromSlice(l.DstIP.To4())
			t.protocol = uint16(l.Protocol)
			if l.FragOffset != 0 || l.Flags&layers.IPv4MoreFragments != 0 {
				return t, false
			}
		case *layers.IPv6:
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			t.protocol = uint16(l.NextHeader)
		case *layers.IPv6HopByHop:
			t.protocol = uint16(l.NextHeader)
		case *layers.IPv6Destination:
			t.protocol = uint16(l.NextHeader)
		case *layers.IPv6Routing:
			t.protocol = uint16(l.NextHeader)
		case *layers.IPSecAH:
			t.protocol = uint16(l.NextHeader)
		case *layers.IPv6Fragment:
			return t, false
		case *layers.TCP:
			sport, dport = uint16(l.SrcPort), uint16(l.DstPort)
			break walk
		case *layers.UDP:
			sport, dport = uint16(l.SrcPort), uint16(l.DstPort)
			break walk
		case *layers.ICMPv4, *layers.ICMPv6:
			break walk // the packet that it quotes is not the session
		case gopacket.ErrorLayer:
			return t, false
		}
	}
	if !src.IsValid() {
		return t, false
	}
	t.a, t.b, t.portA, t.portB = src, dst, sport, dport
	if c := dst.Compare(src); c < 0 || c == 0 && dport < sport {
		t.a, t.b, t.portA, t.portB, t.reverse = dst, src, dport, sport, true
	}
	return t, true
}

// differences are the files of which gopacket sees other sessions, with the
// reason.
var differences = map[string]string{
	"arkime__arkime_synthetic.pcap": "it looks into ERSPAN, a copy of somebody else's traffic, which is a session of the two switches here",
	"zeek__erspanII.pcap":           "it looks into ERSPAN, a copy of somebody else's traffic, which is a session of the two switches here",
}

func TestAgreesWithGopacket(t *testing.T) {
	packets, compared := 0, 0
	for _, path := range corpusFiles(t, "dev") {
		name := filepath.Base(path)
		d := NewDecoder()
		n, different := 0, 0
		forEachPacket(t, path, func(lt packet.LinkType, data []byte) {
			n++
			packets++
			var f Flow
			d.Decode(lt, data, &f)
			want, ok := oracle(lt, data)
			if !ok {
				return
			}
			compared++
			got := tuple{protocol: f.Key.Protocol(), reverse: f.Reverse}
			got.a, got.b = f.Key.Addrs()
			got.portA, got.portB = f.Key.Ports()
			if got != want {
				if different++; different == 1 && differences[name] == "" {
					t.Errorf("%s, packet %d of %v: %v, gopacket says %v", name, n, lt, got, want)
				}
			}
		})
		if reason := differences[name]; reason != "" && different == 0 {
			t.Errorf("%s agrees now, though %s", name, reason)
		}
	}
	t.Logf("compared %d of %d packets", compared, packets)
	if compared < packets*9/10 {
		t.Errorf("gopacket could tell %d of %d packets only", compared, packets)
	}
}
