package week

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// gateway is the MAC address behind which all servers of the internet are.
var gateway = [6]byte{0x00, 0x00, 0x5e, 0x00, 0x01, 0x01} // VRRP, RFC 9568

// A server is a host elsewhere, with a name and, before TLS 1.3, a certificate.
type server struct {
	name        string
	addrs       [2]netip.Addr // IPv4, and IPv6 if it has one
	old         bool          // speaks TLS 1.2
	certificate []byte
	mac         [6]byte // gateway, or that of a host of the local network
}

// A network is who there is.
type network struct {
	self       [2]end // IPv4, IPv6
	port       uint16
	ids        [2]uint16 // of IPv4 packets: own, and those of all others
	web        []*server // many, a few of them often
	popularity *rand.Zipf
	cloud      []*server // services that programs call by themselves
	video      []*server
	resolver   *server
	domain     *server // controller, and its time
	files      *server
	monitor    *server
	neighbours []end
}

func (n *network) init(s *stream) {
	mac := [6]byte{0x3c, 0x52, 0x82, 0x1a, 0x2b, 0x3c}
	n.self = [2]end{
		{mac: mac, addr: netip.AddrFrom4([4]byte{10, 20, 30, 40})},
		{mac: mac, addr: netip.MustParseAddr("2001:db8:20:30::40")},
	}
	n.port = 49152
	for i := range 2000 {
		n.web = append(n.web, s.server(fmt.Sprintf("www.%s-%d.example", words[i%len(words)], i)))
	}
	n.popularity = rand.NewZipf(s.random, 1.1, 5, uint64(len(n.web)-1))
	for i := range 40 {
		n.cloud = append(n.cloud, s.server(fmt.Sprintf("%s-%d.telemetry.cloud.example", words[i%len(words)], i)))
	}
	for i := range 12 {
		n.video = append(n.video, s.server(fmt.Sprintf("edge-%d.video.example", i)))
	}
	n.resolver = s.local("resolver", 2)
	n.domain = s.local("dc1", 3)
	n.files = s.local("files", 4)
	n.monitor = s.local("monitor", 5)
	for i := range byte(25) {
		n.neighbours = append(n.neighbours, end{mac: [6]byte{0x3c, 0x52, 0x82, 0x77, 0, i}, addr: netip.AddrFrom4([4]byte{10, 20, 30, 100 + i})})
	}
}

// server makes up a server of the internet.
func (s *stream) server(name string) *server {
	n := s.random.Uint32()
	srv := &server{name: name, mac: gateway, old: s.chance(0.25)}
	srv.addrs[0] = netip.AddrFrom4([4]byte{198, 18 | byte(n>>16)&1, byte(n >> 8), byte(n)})
	if s.chance(0.5) {
		v6 := netip.MustParseAddr("2001:db8:8000::").As16()
		binary.BigEndian.PutUint32(v6[12:], n)
		srv.addrs[1] = netip.AddrFrom16(v6)
	}
	return srv
}

// local makes up a server of the local network.
func (s *stream) local(name string, n byte) *server {
	return &server{
		name:  name + ".corp.example",
		addrs: [2]netip.Addr{netip.AddrFrom4([4]byte{10, 20, 30, n})},
		mac:   [6]byte{0x00, 0x50, 0x56, 0x01, 0x02, n},
	}
}

// ends are this computer, with a new port, and a server.
func (s *stream) ends(srv *server, port uint16) [2]end {
	family := 0
	if srv.addrs[1].IsValid() && s.chance(0.8) {
		family = 1
	}
	n := &s.network
	n.port++
	if n.port < 49152 {
		n.port = 49152
	}
	self := n.self[family]
	self.port = n.port
	return [2]end{self, {srv.mac, srv.addrs[family], port}}
}

// site draws a server of the web: few are visited often, many now and then.
func (s *stream) site() *server { return s.network.web[s.network.popularity.Uint64()] }

func pick[T any](s *stream, from []T) T { return from[s.random.IntN(len(from))] }
