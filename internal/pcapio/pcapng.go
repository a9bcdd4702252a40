package pcapio

import (
	"errors"
	"hash/maphash"
	"io"

	"github.com/packetcache/packetcache/internal/packet"
)

// Block types (draft-ietf-opsawg-pcapng, section 10.1).
const (
	blockInterface      = 1
	blockObsoletePacket = 2
	blockSimplePacket   = 3
	blockStatistics     = 5
	blockEnhancedPacket = 6
)

const (
	byteOrderMagic = 0x1a2b3c4d
	blockOverhead  = 12 // type, length before and after the body
	sectionMinLen  = 28
)

// pcapng is what a Reader knows of the section that it is in, and of all
// sections about their interfaces.
type pcapng struct {
	order      byteOrder
	interfaces []sectionInterface
	known      map[uint64]packet.InterfaceID
	seed       maphash.Seed
}

// A sectionInterface is what packets of one interface need of its description.
type sectionInterface struct {
	id      packet.InterfaceID // index into Reader.ifaces
	snapLen uint32             // 0: no limit
	time    resolution
}

// nextBlock reads blocks up to and including the next packet.
func (r *Reader) nextBlock(p *packet.Packet) error {
	for {
		head, err := r.win.peek(8)
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return incomplete(r.win.offset, "the block header", 8, int64(r.win.buffered()), err)
		}
		typ := r.ng.order.u32(head)
		if typ == magicSection {
			if err := r.section(); err != nil {
				return err
			}
			continue
		}
		length := r.ng.order.u32(head[4:])
		if err := checkBlockLen(r.win.offset, typ, length, blockOverhead); err != nil {
			return err
		}
		switch typ {
		case blockInterface, blockObsoletePacket, blockSimplePacket, blockEnhancedPacket:
		default:
			if err := r.passBlock(length); err != nil {
				return err
			}
			continue
		}
		body, err := r.block(typ, length)
		if err != nil {
			return err
		}
		switch typ {
		case blockInterface:
			err = r.interfaceBlock(body)
		case blockEnhancedPacket:
			err = r.enhancedPacket(body, p)
		case blockSimplePacket:
			err = r.simplePacket(body, p)
		case blockObsoletePacket:
			err = r.obsoletePacket(body, p)
		}
		if err != nil {
			return err
		}
		r.win.take(int(length))
		if typ != blockInterface {
			return nil
		}
	}
}

// section reads a Section Header Block: from here on the byte order may be
// another one and interfaces count from 0 again.
func (r *Reader) section() error {
	offset := r.win.offset
	head, err := r.win.peek(16)
	if err != nil {
		return incomplete(offset, "the section header", sectionMinLen, int64(r.win.buffered()), err)
	}
	var order byteOrder
	switch magic := littleEndian.u32(head[8:]); magic {
	case byteOrderMagic:
		order = littleEndian
	case 0x4d3c2b1a:
		order = bigEndian
	default:
		return badf(offset, "the section header's byte-order magic is %#08x", magic)
	}
	length := order.u32(head[4:])
	if err := checkBlockLen(offset, magicSection, length, sectionMinLen); err != nil {
		return err
	}
	if major, minor := order.u16(head[12:]), order.u16(head[14:]); major != 1 {
		return badf(offset, "pcapng version %d.%d is not supported, only 1.x", major, minor)
	}
	r.ng.order = order
	r.ng.interfaces = r.ng.interfaces[:0]
	return r.passBlock(length)
}

// block returns the body of the block that begins at the window, without
// taking it, after checking that its two lengths agree.
func (r *Reader) block(typ, length uint32) ([]byte, error) {
	offset := r.win.offset
	if length > windowSize {
		return nil, badf(offset, "the block of type %d is %d bytes long, more than %d", typ, length, windowSize)
	}
	all, err := r.win.peek(int(length))
	if err != nil {
		return nil, incomplete(offset, "the block", int64(length), int64(r.win.buffered()), err)
	}
	if err := r.checkTrailer(offset, length, all[length-4:]); err != nil {
		return nil, err
	}
	return all[8 : length-4], nil
}

// passBlock takes a block whose contents do not matter, of any length.
func (r *Reader) passBlock(length uint32) error {
	offset := r.win.offset
	if r.win.held && r.win.buffered() < int(length) {
		return errHeld // before anything is taken
	}
	passed, err := r.win.skip(int64(length) - 4)
	var trailer []byte
	if err == nil {
		trailer, err = r.win.peek(4)
	}
	if err != nil {
		return incomplete(offset, "the block", int64(length), passed+int64(r.win.buffered()), err)
	}
	if err := r.checkTrailer(offset, length, trailer); err != nil {
		return err
	}
	r.win.take(4)
	return nil
}

func (r *Reader) checkTrailer(offset int64, length uint32, trailer []byte) error {
	if again := r.ng.order.u32(trailer); again != length {
		return badf(offset, "the block's length is %d at its start and %d at its end", length, again)
	}
	return nil
}

func checkBlockLen(offset int64, typ, length, least uint32) error {
	switch {
	case length < least:
		return badf(offset, "the block of type %#x has length %d, but needs %d at least", typ, length, least)
	case length%4 != 0:
		return badf(offset, "the block of type %#x has length %d, which is not a multiple of 4", typ, length)
	}
	return nil
}
