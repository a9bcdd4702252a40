package session

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// checkFast holds the fast path to the general one: where it reads a packet,
// it reads the same, and where it declines, it leaves the flow alone. It
// reports whether it read the packet.
func checkFast(t testing.TB, data []byte) bool {
	t.Helper()
	untouched := Flow{Hash: 5, Reverse: true, restarts: true, tcp: true, tcpFlags: 9}
	fast := untouched
	if !fast.plainIPv4(data) {
		if fast != untouched {
			t.Errorf("the fast path declined but left %v: % x", fast, data)
		}
		return false
	}
	var general Flow
	NewDecoder().decodeLink(packet.LinkTypeEthernet, data, &general)
	fast.Hash = 0 // is for Decode to set
	if fast != general {
		t.Errorf("the fast path says %v, the general one %v: % x", fast, general, data)
	}
	return true
}

func TestFastPathOnSamples(t *testing.T) {
	taken := 0
	for _, s := range samples {
		for _, data := range [][]byte{s.build(client, server), s.build(server, client)} {
			if checkFast(t, data) {
				taken++
				if s.name != "TCP" && s.name != "UDP" {
					t.Errorf("%s goes the fast way", s.name)
				}
			}
		}
	}
	// What is UDP here is shorter than TCP's flags need: the general path.
	if taken != 2 {
		t.Errorf("the fast path took %d samples, want 2", taken)
	}
}

// TestFastPathOnEveryField changes each byte of the headers to every value.
func TestFastPathOnEveryField(t *testing.T) {
	for _, protocol := range []byte{protoTCP, protoUDP} {
		p := ethernet(server, client, etherIPv4, ipv4(server, client, protocol, tcp(server, client, tcpSYN), make([]byte, 40)))
		for i := range 14 + 20 + 14 {
			was := p[i]
			for v := range 256 {
				p[i] = byte(v)
				checkFast(t, p)
			}
			p[i] = was
		}
	}
}

func TestFastPathOnCorpus(t *testing.T) {
	packets, taken := 0, 0
	for _, folder := range []string{"dev", "malformed-dev"} {
		for _, path := range corpusFiles(t, folder) {
			forEachPacket(t, path, func(lt packet.LinkType, data []byte) {
				if lt != packet.LinkTypeEthernet {
					return
				}
				packets++
				if checkFast(t, data) {
					taken++
				}
			})
		}
	}
	t.Logf("the fast path took %d of %d Ethernet packets", taken, packets)
	if taken < packets/2 {
		t.Errorf("the fast path took %d of %d Ethernet packets: it is meant for most", taken, packets)
	}
}
