package pcapio

import (
	"encoding/binary"
	"math"

	"github.com/packetcache/packetcache/internal/packet"
)

// AppendHeader appends the 24-byte header of a classic pcap file of link type
// lt: little-endian, times in µs (magic 0xa1b2c3d4, because older readers know
// no other), version 2.4, snapshot length packet.MaxLen. AppendRecord and
// AppendRecordAs append what follows.
func AppendHeader(buf []byte, lt packet.LinkType) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, magicMicro)
	buf = binary.LittleEndian.AppendUint16(buf, 2)
	buf = binary.LittleEndian.AppendUint16(buf, 4)
	buf = append(buf, 0, 0, 0, 0, 0, 0, 0, 0) // time zone and accuracy: always 0
	buf = binary.LittleEndian.AppendUint32(buf, packet.MaxLen)
	return binary.LittleEndian.AppendUint32(buf, uint32(lt))
}

// AppendRecord appends p as a record of a classic pcap file: 16 bytes, then
// p.Data, which are at most packet.MaxLen long. The time is rounded down to µs.
//
// The format counts seconds since 1970 in 32 unsigned bits. Times before that
// become 1970-01-01T00:00:00Z and times after it 2106-02-07T06:28:15.999999Z.
// (libpcap reads the seconds as signed, so tcpdump shows times from 2038 on as
// lying before 1970; Wireshark does not. pcapng has no such limit.)
func AppendRecord(buf []byte, p *packet.Packet) []byte {
	buf = appendRecordHeader(buf, p.Time, len(p.Data), p.OrigLen)
	return append(buf, p.Data...)
}

func appendRecordHeader(buf []byte, ns int64, capLen int, origLen uint32) []byte {
	seconds, micros := unixMicros(ns)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(seconds)|uint64(micros)<<32)
	return binary.LittleEndian.AppendUint64(buf, uint64(uint32(capLen))|uint64(max(origLen, uint32(capLen)))<<32)
}

// unixMicros splits ns into seconds and microseconds within a classic pcap's
// range.
func unixMicros(ns int64) (seconds, micros uint32) {
	if ns < 0 {
		return 0, 0
	}
	s := ns / second
	if s > math.MaxUint32 {
		return math.MaxUint32, 999_999
	}
	return uint32(s), uint32(ns-s*second) / 1000
}
