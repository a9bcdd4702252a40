package pcapio

import "github.com/packetcache/packetcache/internal/packet"

// Options of packet blocks; Enhanced and obsolete Packet Blocks share them.
const (
	optFlags     = 2
	optDropCount = 4
)

// enhancedPacket reads the body of an Enhanced Packet Block.
func (r *Reader) enhancedPacket(body []byte, p *packet.Packet) error {
	if len(body) < 20 {
		return badf(r.win.offset, "the Enhanced Packet Block has %d bytes, but needs 20 at least", len(body))
	}
	return r.packet(r.ng.order.u32(body), body[4:], p)
}

// obsoletePacket reads the body of a Packet Block, which has 16 bits each for
// the interface and a drop count where the Enhanced Packet Block has 32 for
// the interface.
func (r *Reader) obsoletePacket(body []byte, p *packet.Packet) error {
	if len(body) < 20 {
		return badf(r.win.offset, "the Packet Block has %d bytes, but needs 20 at least", len(body))
	}
	return r.packet(uint32(r.ng.order.u16(body)), body[4:], p)
}

// packet reads what both blocks share: timestamp, lengths, data, options.
func (r *Reader) packet(number uint32, body []byte, p *packet.Packet) error {
	iface, err := r.packetInterface(number)
	if err != nil {
		return err
	}
	order := r.ng.order
	capLen, origLen := order.u32(body[8:]), order.u32(body[12:])
	if capLen > packet.MaxLen {
		return tooLong(r.win.offset, capLen)
	}
	if int(capLen) > len(body)-16 {
		return badf(r.win.offset, "the packet's captured length of %d is more than the %d bytes of its block", capLen, len(body)-16)
	}
	end := 16 + int(capLen)
	*p = packet.Packet{
		Time:      iface.time.nanos(uint64(order.u32(body))<<32 | uint64(order.u32(body[4:]))),
		Data:      body[16:end:end],
		OrigLen:   max(origLen, capLen),
		Interface: iface.id,
		Direction: direction(order, body[16+pad4(int(capLen)):]),
	}
	return nil
}

// simplePacket reads the body of a Simple Packet Block. It has no timestamp,
// which leaves p.Time 0, and belongs to the section's first interface.
func (r *Reader) simplePacket(body []byte, p *packet.Packet) error {
	if len(body) < 4 {
		return badf(r.win.offset, "the Simple Packet Block has %d bytes, but needs 4 at least", len(body))
	}
	iface, err := r.packetInterface(0)
	if err != nil {
		return err
	}
	// Its captured length is written nowhere: it is the lesser of the original
	// length and the interface's snapshot length.
	origLen := r.ng.order.u32(body)
	capLen := origLen
	if iface.snapLen != 0 {
		capLen = min(capLen, iface.snapLen)
	}
	if capLen > packet.MaxLen {
		return tooLong(r.win.offset, capLen)
	}
	if int(capLen) > len(body)-4 {
		return badf(r.win.offset, "the packet's length of %d is more than the %d bytes of its block", capLen, len(body)-4)
	}
	end := 4 + int(capLen)
	*p = packet.Packet{Data: body[4:end:end], OrigLen: origLen, Interface: iface.id}
	return nil
}

func (r *Reader) packetInterface(number uint32) (*sectionInterface, error) {
	if number >= uint32(len(r.ng.interfaces)) {
		return nil, badf(r.win.offset, "the packet names interface %d, but the section has described %d so far", number, len(r.ng.interfaces))
	}
	return &r.ng.interfaces[number], nil
}

// direction looks for the flags word among a packet's options. Options that
// make no sense do not make the packet worthless, so they end the search only.
func direction(order byteOrder, options []byte) packet.Direction {
	for len(options) >= 4 {
		code, value, rest, err := nextOption(order, options)
		if err != nil || code == optEnd {
			break
		}
		if code == optFlags && len(value) == 4 {
			if d := packet.Direction(order.u32(value) & 3); d <= packet.Outbound {
				return d
			}
		}
		options = rest
	}
	return packet.DirectionUnknown
}
