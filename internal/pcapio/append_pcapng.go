package pcapio

import (
	"encoding/binary"
	"net/netip"

	"github.com/packetcache/packetcache/internal/packet"
)

// Options of the Section Header and Interface Statistics Blocks.
const (
	optHardware    = 2
	optSectionOS   = 3
	optApplication = 4

	optStart     = 2
	optEndTime   = 3
	optReceived  = 4
	optDropped   = 5
	optOSDropped = 7
	nanoTSResol  = 9
	noSectionLen = 1<<64 - 1
)

// A Section describes the origin of a pcapng file: what its Section Header
// Block says. Empty texts are left out.
type Section struct {
	Hardware    string // of the capturing machine
	OS          string // with its version
	Application string // that wrote the file
	Comments    []string
}

// AppendSection appends a Section Header Block, which begins a pcapng file. It
// is little-endian, as is everything that is appended after it. At least one
// interface must follow: tcpdump refuses a file without any.
func AppendSection(buf []byte, s *Section) []byte {
	buf, start := beginBlock(buf, magicSection)
	buf = binary.LittleEndian.AppendUint32(buf, byteOrderMagic)
	buf = binary.LittleEndian.AppendUint16(buf, 1)
	buf = binary.LittleEndian.AppendUint16(buf, 0)
	buf = binary.LittleEndian.AppendUint64(buf, noSectionLen)
	options := len(buf)
	buf = appendText(buf, optHardware, s.Hardware)
	buf = appendText(buf, optSectionOS, s.OS)
	buf = appendText(buf, optApplication, s.Application)
	buf = appendComments(buf, s.Comments)
	return endBlock(endOptions(buf, options), start)
}

// AppendInterface appends an Interface Description Block. The first of a
// section is interface 0, the next one 1; that number is the one that packets
// and statistics then name. Timestamps are in ns (if_tsresol 9). Empty comments
// are left out, as are invalid addresses.
//
// SnapLen is written as it is, 0 as packet.MaxLen. Take care when it differs
// between the interfaces of a file, or is less than the captured length of
// some packet: libpcap, and so tcpdump, then refuses the file.
func AppendInterface(buf []byte, i *packet.Interface, comments ...string) []byte {
	snapLen := i.SnapLen
	if snapLen == 0 {
		snapLen = packet.MaxLen
	}
	buf, start := beginBlock(buf, blockInterface)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(i.LinkType))
	buf = append(buf, 0, 0) // reserved
	buf = binary.LittleEndian.AppendUint32(buf, snapLen)
	options := len(buf)
	buf = appendText(buf, optName, i.Name)
	buf = appendText(buf, optDescription, i.Description)
	for _, a := range i.Addrs {
		buf = appendAddr(buf, a)
	}
	switch len(i.MAC) {
	case 6:
		buf = appendOption(buf, optMAC, i.MAC)
	case 8:
		buf = appendOption(buf, optEUI, i.MAC)
	}
	buf = appendOption(buf, optTSResol, []byte{nanoTSResol})
	buf = appendFilter(buf, i.Filter)
	buf = appendText(buf, optOS, i.OS)
	buf = appendComments(buf, comments)
	return endBlock(endOptions(buf, options), start)
}

// AppendPacket appends p as an Enhanced Packet Block of interface number
// p.Interface of the section. drops is how many packets the interface lost
// since the one before; 0 is not written. The time is in ns since 1970; before
// that it becomes 0.
func AppendPacket(buf []byte, p *packet.Packet, drops uint64) []byte {
	ns := uint64(max(p.Time, 0))
	capLen := len(p.Data)
	length := blockOverhead + 20 + pad4(capLen)
	var flags, dropCount int
	if p.Direction != packet.DirectionUnknown {
		flags = 8
	}
	if drops > 0 {
		dropCount = 12
	}
	if flags+dropCount > 0 {
		length += flags + dropCount + 4
	}
	buf = binary.LittleEndian.AppendUint64(buf, blockEnhancedPacket|uint64(length)<<32)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(p.Interface)|ns&^(1<<32-1))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(uint32(ns))|uint64(capLen)<<32)
	buf = binary.LittleEndian.AppendUint32(buf, max(p.OrigLen, uint32(capLen)))
	buf = append(buf, p.Data...)
	buf = appendPadding(buf, capLen)
	if flags > 0 {
		buf = appendOptionHead(buf, optFlags, 4)
		buf = binary.LittleEndian.AppendUint32(buf, uint32(p.Direction))
	}
	if dropCount > 0 {
		buf = appendUint64(buf, optDropCount, drops)
	}
	if flags+dropCount > 0 {
		buf = append(buf, 0, 0, 0, 0)
	}
	return binary.LittleEndian.AppendUint32(buf, uint32(length))
}

// Statistics are the totals of one interface at the end of a pcapng file.
type Statistics struct {
	// Interface is its number in the section.
	Interface packet.InterfaceID
	// Start and End of the capture and Time, when the totals were taken, are
	// in nanoseconds since 1970. Start and End are left out if 0.
	Start, End, Time int64
	// Received packets came from the interface, Dropped ones were lost by it
	// or by us, OSDropped ones by the operating system.
	Received, Dropped, OSDropped uint64
	Comments                     []string
}

// AppendStatistics appends an Interface Statistics Block.
func AppendStatistics(buf []byte, s *Statistics) []byte {
	buf, start := beginBlock(buf, blockStatistics)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(s.Interface))
	buf = appendTime(buf, s.Time)
	options := len(buf)
	for _, t := range []struct {
		code uint16
		ns   int64
	}{{optStart, s.Start}, {optEndTime, s.End}} {
		if t.ns != 0 {
			buf = appendOptionHead(buf, t.code, 8)
			buf = appendTime(buf, t.ns)
		}
	}
	buf = appendUint64(buf, optReceived, s.Received)
	buf = appendUint64(buf, optDropped, s.Dropped)
	buf = appendUint64(buf, optOSDropped, s.OSDropped)
	buf = appendComments(buf, s.Comments)
	return endBlock(endOptions(buf, options), start)
}

// beginBlock appends a block's type and a place for its length. It returns
// where the block starts, for endBlock.
func beginBlock(buf []byte, typ uint32) ([]byte, int) {
	start := len(buf)
	buf = binary.LittleEndian.AppendUint32(buf, typ)
	return append(buf, 0, 0, 0, 0), start
}

// endBlock writes the length at both ends of the block.
func endBlock(buf []byte, start int) []byte {
	length := uint32(len(buf) + 4 - start)
	binary.LittleEndian.PutUint32(buf[start+4:], length)
	return binary.LittleEndian.AppendUint32(buf, length)
}

// endOptions ends the list that began at start, if it is not empty.
func endOptions(buf []byte, start int) []byte {
	if len(buf) == start {
		return buf
	}
	return append(buf, optEnd, 0, 0, 0)
}

func appendComments(buf []byte, comments []string) []byte {
	for _, c := range comments {
		buf = appendText(buf, optComment, c)
	}
	return buf
}

// appendTime appends ns as a timestamp of two 32-bit halves, high one first.
func appendTime(buf []byte, ns int64) []byte {
	t := uint64(max(ns, 0))
	buf = binary.LittleEndian.AppendUint32(buf, uint32(t>>32))
	return binary.LittleEndian.AppendUint32(buf, uint32(t))
}

func appendAddr(buf []byte, p netip.Prefix) []byte {
	if !p.IsValid() {
		return buf
	}
	if p.Addr().Is4() {
		addr := p.Addr().As4()
		buf = appendOptionHead(buf, optIPv4, 8)
		buf = append(buf, addr[:]...)
		return binary.BigEndian.AppendUint32(buf, ^uint32(0)<<(32-p.Bits()))
	}
	addr := p.Addr().As16()
	buf = appendOptionHead(buf, optIPv6, 17)
	buf = append(buf, addr[:]...)
	buf = append(buf, byte(p.Bits()))
	return appendPadding(buf, 17)
}

// appendFilter appends if_filter as a string, which a zero byte says it is.
func appendFilter(buf []byte, filter string) []byte {
	if filter == "" {
		return buf
	}
	if len(filter) >= maxOption {
		return buf // no filter that a person wrote; half of one would mislead
	}
	buf = appendOptionHead(buf, optFilter, 1+len(filter))
	buf = append(buf, 0)
	buf = append(buf, filter...)
	return appendPadding(buf, 1+len(filter))
}
