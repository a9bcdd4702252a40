// Package pcapio reads and writes capture files: classic pcap and pcapng.
//
// Reading is a stream from an io.Reader through one buffer of fixed size;
// every error says at which byte the file stops making sense. Writing is a
// set of append functions that format into a buffer of the caller's and never
// allocate when it has room, because a dump formats millions of packets.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng,
// https://www.tcpdump.org/linktypes.html and pcap-savefile(5).
package pcapio

import (
	"encoding/binary"
	"math/bits"
)

// The magic numbers of classic pcap as the writing machine saw them, and the
// block type that every pcapng file starts with, which reads the same in both
// byte orders.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's patch: 8 more bytes a record
	magicSection  = 0x0a0d0d0a
)

// A byteOrder is that of a file, or of a section of one; true is big-endian.
// It is not a binary.ByteOrder so that calls on the way of every packet are
// inlined.
type byteOrder bool

const (
	littleEndian byteOrder = false
	bigEndian    byteOrder = true
)

func (o byteOrder) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if o == bigEndian {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (o byteOrder) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if o == bigEndian {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (o byteOrder) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if o == bigEndian {
		v = bits.ReverseBytes64(v)
	}
	return v
}
