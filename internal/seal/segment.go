package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A segment's frame is a header of fixed length and its Data. All integers are
// little-endian.
//
//	offset  bytes
//	     0  2      log
//	     2  2      table
//	     4  1      codec
//	     5  1      flags: 1 disordered, 2 many
//	     6  2      tallies
//	     8  4      records
//	    12  4      size
//	    16  8      captured
//	    24  8      age of the newest packet, ns
//	    32  8      bytes appended since
//	    40  8      least timestamp, ns since the Unix epoch, signed
//	    48  8      greatest
//	    56  3 x 8  shares: interface (2), packets (2), bytes (4); without packets if
//	               there are fewer
//	    80         data
const segmentHeader = 56 + record.MaxShares*shareSize

const (
	shareSize      = 8
	flagDisordered = 1
	flagMany       = 2
)

// putSegment writes the header of a segment to b.
func putSegment(b *[segmentHeader]byte, s *record.Segment) error {
	if err := encodable(s); err != nil {
		return err
	}
	clear(b[:])
	le := binary.LittleEndian
	le.PutUint16(b[0:], uint16(s.Log))
	le.PutUint16(b[2:], uint16(s.Table))
	b[4] = byte(s.Codec)
	if s.Disordered {
		b[5] |= flagDisordered
	}
	if s.Many {
		b[5] |= flagMany
	}
	le.PutUint16(b[6:], uint16(s.Tallies))
	le.PutUint32(b[8:], uint32(s.Records))
	le.PutUint32(b[12:], uint32(s.Size))
	le.PutUint64(b[16:], s.Captured)
	le.PutUint64(b[24:], uint64(s.Newest))
	le.PutUint64(b[32:], s.Behind)
	le.PutUint64(b[40:], uint64(s.MinTime))
	le.PutUint64(b[48:], uint64(s.MaxTime))
	for i, share := range s.Shares {
		at := b[56+i*shareSize:]
		le.PutUint16(at[0:], uint16(share.Interface))
		le.PutUint16(at[2:], share.Packets)
		le.PutUint32(at[4:], share.Bytes)
	}
	return nil
}

// encodable reports what of a segment the header cannot say.
func encodable(s *record.Segment) error {
	for _, field := range []struct {
		name  string
		value int
		most  int
	}{
		{"log", s.Log, 1<<16 - 1},
		{"table", s.Table, 1<<16 - 1},
		{"number of tallies", s.Tallies, record.MaxRecords},
		{"number of records", s.Records, record.MaxRecords},
		{"size", s.Size, record.MaxSize},
		{"number of shares", len(s.Shares), record.MaxShares},
		{"length of the data", len(s.Data), maxData},
	} {
		if field.value < 0 || field.value > field.most {
			return fmt.Errorf("a segment cannot be saved: its %s is %d, the most is %d", field.name, field.value, field.most)
		}
	}
	return nil
}

// getSegment reads the header of a segment; data is what follows it. Whether it
// makes sense is for Segment.Check to say.
func getSegment(s *record.Segment, b *[segmentHeader]byte, data []byte) error {
	le := binary.LittleEndian
	shares := s.Shares[:0]
	*s = record.Segment{
		Log:        int(le.Uint16(b[0:])),
		Table:      int(le.Uint16(b[2:])),
		Codec:      record.Codec(b[4]),
		Disordered: b[5]&flagDisordered != 0,
		Many:       b[5]&flagMany != 0,
		Tallies:    int(le.Uint16(b[6:])),
		Records:    int(le.Uint32(b[8:])),
		Size:       int(le.Uint32(b[12:])),
		Captured:   le.Uint64(b[16:]),
		Newest:     time.Duration(le.Uint64(b[24:])),
		Behind:     le.Uint64(b[32:]),
		MinTime:    int64(le.Uint64(b[40:])),
		MaxTime:    int64(le.Uint64(b[48:])),
		Data:       data,
	}
	if b[5]&^(flagDisordered|flagMany) != 0 {
		return errors.New("a segment has unknown flags")
	}
	for at := b[56:]; len(at) >= shareSize; at = at[shareSize:] {
		share := record.Share{Interface: packet.InterfaceID(le.Uint16(at)), Packets: le.Uint16(at[2:]), Bytes: le.Uint32(at[4:])}
		if share.Packets > 0 {
			shares = append(shares, share)
		}
	}
	s.Shares = shares
	return nil
}
