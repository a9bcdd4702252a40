package pcapio

import (
	"errors"
	"io"

	"github.com/packetcache/packetcache/internal/packet"
)

const (
	fileHeaderLen     = 24
	recordHeaderLen   = 16
	modifiedHeaderLen = 24
)

// classic is what the header of a classic pcap file says about its records
// (pcap-savefile(5)).
type classic struct {
	order     byteOrder
	headerLen int   // of a record
	fraction  int64 // nanoseconds a unit of the fraction of a second
	swapped   swap
}

// A swap says whether the two lengths of a record stand in the other order,
// as they did before version 2.3 and, by some writers, in 2.3.
type swap uint8

const (
	notSwapped swap = iota
	maybeSwapped
	isSwapped
)

// classicHeader reads the file header, whose magic is known.
func (r *Reader) classicHeader(order byteOrder, magic uint32) error {
	head, err := r.win.peek(fileHeaderLen)
	if err != nil {
		return incomplete(0, "the pcap header", fileHeaderLen, int64(r.win.buffered()), err)
	}
	major, minor := order.u16(head[4:]), order.u16(head[6:])
	if major != 2 {
		return badf(0, "pcap version %d.%d is not supported, only 2.x", major, minor)
	}
	r.pcap = classic{order: order, headerLen: recordHeaderLen, fraction: 1000}
	switch magic {
	case magicNano:
		r.pcap.fraction = 1
	case magicModified:
		r.pcap.headerLen = modifiedHeaderLen
	}
	switch {
	case minor < 3:
		r.pcap.swapped = isSwapped
	case minor == 3:
		r.pcap.swapped = maybeSwapped
	}
	// Above the 16 bits of the link type stand the length of the frame check
	// sequence and reserved bits.
	r.ifaces = []packet.Interface{{
		LinkType: knownLinkType(uint16(order.u32(head[20:]))),
		SnapLen:  knownSnapLen(order.u32(head[16:])),
	}}
	r.win.take(fileHeaderLen)
	return nil
}

// nextRecord reads one record of a classic pcap file.
func (r *Reader) nextRecord(p *packet.Packet) error {
	c := &r.pcap
	head, err := r.win.peek(c.headerLen)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return incomplete(r.win.offset, "the record header", int64(c.headerLen), int64(r.win.buffered()), err)
	}
	seconds, fraction := c.order.u32(head), c.order.u32(head[4:])
	capLen, origLen := c.order.u32(head[8:]), c.order.u32(head[12:])
	if c.swapped == isSwapped || c.swapped == maybeSwapped && capLen > origLen {
		capLen, origLen = origLen, capLen
	}
	if capLen > packet.MaxLen {
		return tooLong(r.win.offset, capLen)
	}
	record, err := r.win.peek(c.headerLen + int(capLen))
	if err != nil {
		return incomplete(r.win.offset, "the record", int64(c.headerLen)+int64(capLen), int64(r.win.buffered()), err)
	}
	r.win.take(len(record))
	*p = packet.Packet{
		Time:    int64(seconds)*second + int64(fraction)*c.fraction,
		Data:    record[c.headerLen:],
		OrigLen: max(origLen, capLen),
	}
	return nil
}
