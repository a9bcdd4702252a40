package filter

import (
	"errors"
	"sync"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func mustParse(t testing.TB, expr string) *Expr {
	t.Helper()
	e, err := Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLinkTypeErrors(t *testing.T) {
	tests := []struct {
		expr   string
		lt     packet.LinkType
		offset int
	}{
		{"vlan", packet.LinkTypeRaw, 0},
		{"ip and vlan 3", packet.LinkTypePPP, 7},
		{"tcp or type mgt", packet.LinkTypeEthernet, 7},
		{"mpls", packet.LinkTypeLinuxSLL, 0},
		{"ether host 1:2:3:4:5:6", packet.LinkTypePPP, 11},
		{"ether host $12", packet.LinkTypeEthernet, 11},
		{"not ip", packet.LinkTypeNFLOG, 4},
		{"tcp", packet.LinkTypeNetlink, 0},
		{"len > 5", 2, 0},
		{"len > 5", 60000, 0},
		{"radio[0] = 1", packet.LinkTypeEthernet, 0},
		{"inbound", packet.LinkTypeEthernet, 0},
		{"ifindex 1", packet.LinkTypeEthernet, 0},
		{"broadcast", packet.LinkTypeRaw, 0},
		{"multicast", packet.LinkTypeRaw, 0},
		{"llc", packet.LinkTypeRaw, 0},
		{"wlan addr1 1:2:3:4:5:6", packet.LinkTypeEthernet, 11},
		{"protochain 6", packet.LinkType80211, 11},
		{"on eth0", packet.LinkTypeEthernet, 0},
		{"vpi 3", packet.LinkTypeEthernet, 0},
		{"fisu", packet.LinkTypeEthernet, 0},
		{"opc 3", packet.LinkTypeEthernet, 0},
		{"arp", packet.LinkTypeRaw, -1},
		{"ip and arp", packet.LinkTypeEthernet, -1},
		{"1 = 2", packet.LinkTypeEthernet, -1},
	}
	for _, tt := range tests {
		_, err := mustParse(t, tt.expr).Compile(tt.lt)
		var le *LinkTypeError
		if !errors.As(err, &le) {
			t.Errorf("%q on %s: error is %v", tt.expr, tt.lt, err)
			continue
		}
		if le.LinkType != tt.lt || le.Expr != tt.expr || le.Offset != tt.offset {
			t.Errorf("%q on %s: error is %+v", tt.expr, tt.lt, le)
		}
	}
	for _, expr := range []string{"len / (1 - 1) = 5", "len % (len - len) = 1", "len << (30 + 2) = 1"} {
		_, err := mustParse(t, expr).Compile(packet.LinkTypeEthernet)
		var se *SyntaxError
		if expr == "len % (len - len) = 1" {
			if err != nil {
				t.Errorf("%q: %v", expr, err)
			}
		} else if !errors.As(err, &se) {
			t.Errorf("%q: error is %v", expr, err)
		}
	}
}

func TestNewSet(t *testing.T) {
	for _, expr := range []string{"", "tcp", "type mgt", "vpi 3", "opc 3", "on eth0", "outbound",
		"ether host $12", "radio[0] = 1", "atalk", "mpls", "ip6 proto 6", "llc and stp"} {
		if _, err := NewSet(mustParse(t, expr)); err != nil {
			t.Errorf("%q: %v", expr, err)
		}
	}
	for _, expr := range []string{"ip and arp", "1 = 2", "vlan and type mgt and fisu", "len / (1 - 1) = 5"} {
		if s, err := NewSet(mustParse(t, expr)); err == nil {
			t.Errorf("%q: applies to some link type: %v", expr, s.Expr())
		}
	}
}

// TestSetMixed matches packets of many link types from several goroutines.
func TestSetMixed(t *testing.T) {
	s, err := NewSet(mustParse(t, "vlan or ip"))
	if err != nil {
		t.Fatal(err)
	}
	eth := append(make([]byte, 12), 0x81, 0, 0, 0, 8, 0)
	raw := []byte{0x45, 0, 0, 20}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for lt := range packet.LinkType(400) {
				want := lt == packet.LinkTypeEthernet
				if got := s.Match(lt, eth, 18); got != want && lt != linkNetAnalyzer && lt != linkNetAnalyzerTr {
					t.Errorf("Ethernet packet as %s: match is %v", lt, got)
				}
				if s.Match(lt, raw, 4) {
					t.Errorf("IP packet as %s matches, though vlan does not apply", lt)
				}
			}
		})
	}
	wg.Wait()

	s, err = NewSet(mustParse(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, lt := range []packet.LinkType{0, 1, 2, 101, 289, 400, 65535} {
		if !s.Match(lt, nil, 0) {
			t.Errorf("the empty expression does not match %s", lt)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	s, err := NewSet(mustParse(t, "tcp port 80 and ip[2:2] > 40 or vlan and udp"))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 60)
	s.Match(packet.LinkTypeEthernet, data, 60)
	if n := testing.AllocsPerRun(100, func() { s.Match(packet.LinkTypeEthernet, data, 60) }); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}
