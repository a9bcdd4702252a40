package pcapio

import (
	"errors"
	"hash/maphash"
	"io"

	"github.com/packetcache/packetcache/internal/packet"
)

// MaxInterfaces bounds the interfaces of one file, because each costs memory
// for as long as the file is read.
const MaxInterfaces = 1024

// A Reader reads the packets of a capture file, classic pcap or pcapng. It
// holds 1 MiB, and at most about 2 KiB more for each interface of the file.
type Reader struct {
	win    window
	ifaces []packet.Interface
	err    error // the first error; it stays

	pcap classic // what the file's header says
	ng   *pcapng // nil in a classic pcap
}

// NewReader reads the header of the file and prepares to read its packets.
//
// Classic pcap may have times in µs or ns, either byte order, and the longer
// records of Kuznetzov's patch (magic 0xa1b2cd34). Of pcapng, Enhanced, Simple
// and obsolete Packet Blocks are read, in any number of sections; blocks of
// other types are passed over. The error is a *FormatError for what is not a
// capture file, else what src said.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{win: window{src: src}}
	head, err := r.win.peek(4)
	if errors.Is(err, io.EOF) {
		return nil, &FormatError{Reason: "the file is empty: not even a pcap header", Err: io.ErrUnexpectedEOF}
	}
	if err != nil {
		return nil, incomplete(0, "the header", 4, int64(r.win.buffered()), err)
	}
	if littleEndian.u32(head) == magicSection {
		r.ng = &pcapng{known: make(map[uint64]packet.InterfaceID), seed: maphash.MakeSeed()}
		if err := r.section(); err != nil {
			return nil, err
		}
		return r, nil
	}
	for _, order := range []byteOrder{littleEndian, bigEndian} {
		switch magic := order.u32(head); magic {
		case magicMicro, magicNano, magicModified:
			if err := r.classicHeader(order, magic); err != nil {
				return nil, err
			}
			return r, nil
		}
	}
	return nil, badf(0, "neither pcap nor pcapng: it begins with % x%s", head, otherFormat(head))
}

// otherFormat names formats that people take for capture files.
func otherFormat(head []byte) string {
	switch bigEndian.u32(head) {
	case 0x28b52ffd:
		return " (zstd: decompress it first)"
	case 0xfd377a58:
		return " (xz: decompress it first)"
	case 0x736e6f6f:
		return " (snoop: convert it with editcap -F pcapng)"
	}
	if head[0] == 0x1f && head[1] == 0x8b {
		return " (gzip: decompress it first)"
	}
	return ""
}

// Interfaces returns what the file has said so far about its interfaces.
// Classic pcap has exactly one, without a name; in pcapng the number grows
// while reading, up to MaxInterfaces. One that is described again in a later
// section, in the same place and the same words, is the same. The slice is
// the Reader's own: valid until the next call of Next or Batch.
func (r *Reader) Interfaces() []packet.Interface { return r.ifaces }

// Offset returns how many bytes of the file have been read and understood.
func (r *Reader) Offset() int64 { return r.win.offset }

// Next reads the next packet into p. Its Data are borrowed until the next
// call, its Interface is the index into Interfaces, and a length on the wire
// that is below the captured one is raised to it.
//
// At the end it returns io.EOF. A *FormatError says where the file stops
// making sense; every packet before that has been returned. Errors stay.
func (r *Reader) Next(p *packet.Packet) error {
	if r.err != nil {
		return r.err
	}
	if r.ng != nil {
		r.err = r.nextBlock(p)
	} else {
		r.err = r.nextRecord(p)
	}
	return r.err
}

// Batch reads packets into ps, at least one, as long as they can be had
// without moving or waiting for others, and returns how many. All of them are
// borrowed until the next call. It returns 0 only with an error, which is as
// from Next.
func (r *Reader) Batch(ps []packet.Packet) (int, error) {
	if len(ps) == 0 {
		return 0, r.err
	}
	if err := r.Next(&ps[0]); err != nil {
		return 0, err
	}
	r.win.held = true
	n := 1
	for n < len(ps) && r.Next(&ps[n]) == nil {
		n++
	}
	r.win.held = false
	if errors.Is(r.err, errHeld) {
		r.err = nil
	}
	return n, nil // a real error waits for the next call
}

// tooLong is the error about a packet that claims more than anybody captures.
func tooLong(offset int64, length uint32) error {
	return badf(offset, "the packet's captured length of %d is more than %d", length, packet.MaxLen)
}

// knownSnapLen returns the snapshot length n of a file as packet.Interface has
// it: many writers put the largest number they know to mean "all".
func knownSnapLen(n uint32) uint32 {
	if n > packet.MaxLen {
		return 0
	}
	return n
}

// knownLinkType returns n as a LINKTYPE_ number. Writers that put the DLT_
// number of their own system into the file for raw IP are understood, as by
// libpcap and Wireshark.
func knownLinkType(n uint16) packet.LinkType {
	if n == 12 || n == 14 {
		return packet.LinkTypeRaw
	}
	return packet.LinkType(n)
}
