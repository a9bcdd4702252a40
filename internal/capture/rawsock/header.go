package rawsock

// A header is what of an IPv4 packet tells it from others (RFC 791, 3.1):
// everything that a copy of it at another socket has as well. The time to live
// and the checksums can differ there, since they are filled in on the way.
type header struct {
	src, dst [4]byte
	rest     [8 + 16]byte // of the IP header up to the protocol, of the payload
}

const (
	leastHeader  = 20
	ttlAt        = 8
	protocolAt   = 9
	udp          = 17
	udpChecksum  = 6
	restOfHeader = 8 // version to fragment offset
)

// parse reads the header of a packet. It reports false if it is not IPv4.
func parse(b []byte) (h header, ok bool) {
	if len(b) < leastHeader || b[0]>>4 != 4 {
		return h, false
	}
	length := int(b[0]&15) * 4
	if length < leastHeader || length > len(b) {
		return h, false
	}
	copy(h.src[:], b[12:16])
	copy(h.dst[:], b[16:20])
	copy(h.rest[:restOfHeader], b[:ttlAt])
	h.rest[1] = b[protocolAt] // in place of the type of service
	payload := h.rest[restOfHeader:]
	copy(payload, b[length:])
	if b[protocolAt] == udp {
		payload[udpChecksum], payload[udpChecksum+1] = 0, 0
	}
	return h, true
}
