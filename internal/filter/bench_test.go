package filter

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func BenchmarkMatch(b *testing.B) {
	for _, expr := range []string{"ip", "tcp port 80", "host 10.0.0.2", "host 10.9.9.9 and not port 22",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "vlan and udp port 53"} {
		for _, name := range []string{"syn", "ip6 syn"} {
			b.Run(strings.ReplaceAll(expr, " ", "_")+"/"+strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
				data, err := hex.DecodeString(strings.ReplaceAll(goldenPackets[name].hex, " ", ""))
				if err != nil {
					b.Fatal(err)
				}
				s, err := NewSet(mustParse(b, expr))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					s.Match(packet.LinkTypeEthernet, data, uint32(len(data)))
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	var hosts []string
	for i := range 200 {
		hosts = append(hosts, fmt.Sprintf("host 10.0.1.%d", i))
	}
	for name, expr := range map[string]string{
		"short": "tcp port 80 and host 10.0.0.1",
		"200":   strings.Join(hosts, " or "),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := mustParse(b, expr).Compile(packet.LinkTypeEthernet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
