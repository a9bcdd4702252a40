package week

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// clientHello is what a browser (large: with the post-quantum key share
// X25519MLKEM768, as browsers send since 2024) or another program says
// first: RFC 8446, section 4.1.2.
func (s *stream) clientHello(srv *server, large bool) []byte {
	ext := func(b []byte, kind uint16, body ...byte) []byte {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
		return append(b, body...)
	}
	name := append([]byte{0, byte(len(srv.name) + 3), 0, 0, byte(len(srv.name))}, srv.name...)
	key, groups := s.noise.append([]byte{0, 36, 0, 29, 0, 32}, 32), []byte{0, 6, 0, 29, 0, 23, 0, 24}
	if large {
		key = s.noise.append([]byte{0x04, 0xe8, 0x11, 0xec, 0x04, 0xc0}, 1216)
		key = s.noise.append(append(key, 0, 29, 0, 32), 32)
		groups = []byte{0, 8, 0x11, 0xec, 0, 29, 0, 23, 0, 24}
	}
	var x []byte
	x = ext(x, 0, name...)
	x = ext(x, 23)
	x = ext(x, 0xff01, 0)
	x = ext(x, 10, groups...)
	x = ext(x, 11, 1, 0)
	x = ext(x, 35)
	x = ext(x, 16, 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1')
	x = ext(x, 5, 1, 0, 0, 0, 0)
	x = ext(x, 13, 0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1)
	x = ext(x, 18)
	x = ext(x, 51, key...)
	x = ext(x, 45, 1, 1)
	x = ext(x, 43, 4, 3, 4, 3, 3)
	body := s.noise.append([]byte{3, 3}, 32)
	body = s.noise.append(append(body, 32), 32)
	body = append(body, 0, 32, 0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8,
		0xc0, 0x13, 0xc0, 0x14, 0, 0x9c, 0, 0x9d, 0, 0x2f, 0, 0x35, 0, 0x0a, 1, 0)
	body = binary.BigEndian.AppendUint16(body, uint16(len(x)))
	return handshake(1, append(body, x...))
}

// serverHello is the answer: RFC 8446, section 4.1.3. Of TLS 1.2 the server's
// certificates follow, readable; of TLS 1.3 the caller lets noise follow.
func (s *stream) serverHello(srv *server, large bool) []byte {
	body := s.noise.append([]byte{3, 3}, 32)
	body = s.noise.append(append(body, 32), 32)
	if srv.old {
		body = append(body, 0xc0, 0x2f, 0, 0, 9, 0xff, 1, 0, 1, 0, 0, 11, 0, 2, 1, 0)
		if srv.certificate == nil {
			srv.certificate = s.certificates(srv.name)
		}
		hello := append(handshake(2, body), handshake(11, srv.certificate)...)
		return append(hello, handshake(12, s.noise.append([]byte{3, 0, 29, 32}, 300))...)
	}
	key := 32
	group := []byte{0, 29}
	if large {
		key, group = 1120, []byte{0x11, 0xec}
	}
	body = append(body, 0x13, 1, 0)
	body = binary.BigEndian.AppendUint16(body, uint16(14+key))
	body = append(body, 0, 43, 0, 2, 3, 4, 0, 51)
	body = binary.BigEndian.AppendUint16(body, uint16(4+key))
	body = append(body, group...)
	body = binary.BigEndian.AppendUint16(body, uint16(key))
	body = s.noise.append(body, key)
	return append(handshake(2, body), 20, 3, 3, 0, 1, 1)
}

// handshake puts a message into a TLS record.
func handshake(kind byte, body []byte) []byte {
	b := []byte{22, 3, 1}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)+4))
	b = append(b, kind, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

// certificates is a chain of two, half of it names and half of it keys and
// signatures. The second is the same for all.
func (s *stream) certificates(name string) []byte {
	b := append([]byte{0x30, 0x82, 6, 0x40, 0x30, 0x82, 5, 0x28, 0xa0, 3, 2, 1, 2}, "Example Trust Services, Domain Validation 2025, CN="...)
	b = append(append(b, name...), "http://crl.trust.example/dv2025.crl http://ocsp.trust.example/dv2025 https://trust.example/cps"...)
	b = s.noise.append(b, 270)
	b = append(append(b, "DNS:"...), name...)
	b = s.noise.append(b, 512)
	b = append(b, strings.Repeat("Example Trust Services Root, policies and constraints; ", 6)...)
	for range 64 {
		b = append(b, 0x5a, 0xc3, byte(len(b)), byte(len(b)*7), byte(len(b)*31), 0x11, byte(len(b)*5), byte(len(b)*13))
	}
	return b
}

// secure begins a TLS conversation; what is said in it is for the caller.
func (s *stream) secure(srv *server, browser bool, talk ...step) *flow {
	large := browser && s.chance(0.7)
	f := &flow{ends: s.ends(srv, 443), protocol: tcp, rtt: s.between(5*time.Millisecond, 80*time.Millisecond)}
	certificates := 0
	if !srv.old {
		certificates = s.pareto(2500, 3, 6000)
		if s.chance(0.3) {
			certificates = 250 // resumed
		}
	}
	f.steps = append([]step{
		{wait: s.around(time.Millisecond), plain: s.clientHello(srv, large)},
		{wait: f.rtt, server: true, plain: s.serverHello(srv, large), noise: certificates, gap: 50 * time.Microsecond},
		{wait: time.Millisecond, noise: 80},
	}, talk...)
	return f
}

// ask is a request in a conversation and the answer to it.
func (s *stream) ask(think time.Duration, request, answer int) []step {
	speed := s.between(60*time.Microsecond, 600*time.Microsecond) // 190 to 19 Mbit/s
	return []step{
		{wait: think, noise: request, gap: 50 * time.Microsecond},
		{wait: s.between(8*time.Millisecond, 200*time.Millisecond), server: true, noise: answer, gap: speed},
	}
}

// quic is a conversation of QUIC: all of it encrypted (RFC 9000, section 17).
func (s *stream) quic(srv *server, talk ...step) *flow {
	id := s.noise.append(nil, 8)
	long := append([]byte{0xc3, 0, 0, 0, 1, 8}, id...)
	f := &flow{ends: s.ends(srv, 443), protocol: udp, record: -1}
	f.steps = []step{
		{each: append(long, 0, 0, 0x44, 0x9e), noise: 1182},
		{wait: 30 * time.Millisecond, server: true, each: append(append([]byte{0xe1, 0, 0, 0, 1, 0, 8}, id...), 0x44, 0x9e),
			noise: 1182 * s.pareto(2, 2, 5), piece: 1182, gap: 50 * time.Microsecond},
	}
	for _, st := range talk {
		st.piece = 1230
		if st.each = []byte{0x5a}; !st.server {
			st.each = append(st.each, id...)
		}
		f.steps = append(f.steps, st)
		if st.server { // and so many acknowledgements
			if acks := (st.noise + 12299) / 12300; acks > 0 {
				f.steps = append(f.steps, step{wait: time.Millisecond, each: append([]byte{0x4d}, id...), noise: acks * 25, piece: 25, gap: time.Millisecond})
			}
		}
	}
	return f
}

// lookUp asks for a name, as resolvers of browsers do: for IPv4, IPv6 and HTTPS
// records (RFC 1035, 3596, 9460).
func (s *stream) lookUp(srv *server) time.Duration {
	for i, kind := range []uint16{1, 28, 65} {
		f := &flow{ends: s.ends(s.network.resolver, 53), protocol: udp, record: -1}
		query := binary.BigEndian.AppendUint16(nil, uint16(s.random.Uint32()))
		query = append(query, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
		for label := range strings.SplitSeq(srv.name, ".") {
			query = append(append(query, byte(len(label))), label...)
		}
		query = append(query, 0, byte(kind>>8), byte(kind), 0, 1)
		answer := append([]byte{}, query...)
		answer[2], answer[3], answer[7] = 0x81, 0x80, 1
		record := []byte{0xc0, 12, byte(kind >> 8), byte(kind), 0, 1, 0, 0, byte(s.random.Uint32() & 1), byte(s.random.Uint32()), 0}
		switch {
		case kind == 1:
			answer = append(append(append(answer, record...), 4), srv.addrs[0].AsSlice()...)
		case kind == 28 && srv.addrs[1].IsValid():
			answer = append(append(append(answer, record...), 16), srv.addrs[1].AsSlice()...)
		default:
			answer[7], answer[9] = 0, 1
			// The answer is that there is none, by whom (SOA).
			answer = append(answer, "\xc0\x0c\x00\x06\x00\x01\x00\x00\x07\x08\x00\x21\x02ns\xc0\x0c\x05admin\xc0\x0c\x78\xb4\x00\x01\x00\x00\x1c\x20\x00\x00\x0e\x10\x00\x12\x75\x00\x00\x00\x07\x08"...)
		}
		f.steps = []step{{plain: query}, {wait: s.between(500*time.Microsecond, 40*time.Millisecond), server: true, plain: answer}}
		s.begin(time.Duration(i)*50*time.Microsecond, f)
	}
	return 45 * time.Millisecond
}

// get is a request in clear, and an answer of which only the head is.
func (s *stream) get(srv *server, path, kind string, size int, gap time.Duration) *flow {
	date := time.Unix(0, s.now).UTC().Format(time.RFC1123)
	f := &flow{ends: s.ends(srv, 80), protocol: tcp, record: -1}
	f.steps = []step{
		{wait: s.around(time.Millisecond), plain: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Update-Agent/10.0.26100 Client-Protocol/2.94\r\n"+
			"Accept: */*\r\nAccept-Encoding: identity\r\nIf-Modified-Since: %s\r\nConnection: Keep-Alive\r\n\r\n", path, srv.name, date)},
		{wait: 30 * time.Millisecond, server: true, noise: size, gap: gap, plain: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n"+
			"Date: %s\r\nServer: Kestrel\r\nCache-Control: public,max-age=17280000\r\nAccept-Ranges: bytes\r\nETag: \"%016x\"\r\n"+
			"X-Cache: HIT\r\nX-CID: 11\r\nConnection: keep-alive\r\n\r\n", kind, size, date, s.random.Uint64())},
	}
	return f
}
