package pcapio

import "encoding/binary"

// A builder makes files by hand, in either byte order, sound or not.
type builder struct {
	binary.AppendByteOrder
	file []byte
}

func newBuilder(order byteOrder) *builder {
	if order == bigEndian {
		return &builder{AppendByteOrder: binary.BigEndian}
	}
	return &builder{AppendByteOrder: binary.LittleEndian}
}

// words appends values of the width that their types have.
func (b *builder) words(values ...any) *builder {
	for _, v := range values {
		b.file = b.value(b.file, v)
	}
	return b
}

func (b *builder) value(buf []byte, v any) []byte {
	switch v := v.(type) {
	case byte:
		return append(buf, v)
	case uint16:
		return b.AppendUint16(buf, v)
	case uint32:
		return b.AppendUint32(buf, v)
	case uint64:
		return b.AppendUint64(buf, v)
	case string:
		return append(buf, v...)
	case []byte:
		return append(buf, v...)
	}
	panic("no such word")
}

// header appends a classic pcap header.
func (b *builder) header(magic uint32, minor uint16, link uint32) *builder {
	return b.words(magic, uint16(2), minor, uint64(0), uint32(65535), link)
}

// block appends a pcapng block with the right lengths.
func (b *builder) block(typ uint32, body ...any) *builder {
	var all []byte
	for _, v := range body {
		all = b.value(all, v)
	}
	for len(all)%4 != 0 {
		all = append(all, 0)
	}
	length := uint32(len(all) + blockOverhead)
	return b.words(typ, length, all, length)
}

func (b *builder) section() *builder {
	return b.block(magicSection, uint32(byteOrderMagic), uint16(1), uint16(0), ^uint64(0))
}

// iface appends an Interface Description Block with the options given, each as
// from option.
func (b *builder) iface(link uint16, snapLen uint32, options ...[]byte) *builder {
	body := []any{link, uint16(0), snapLen}
	for _, o := range options {
		body = append(body, o)
	}
	return b.block(blockInterface, body...)
}

// option returns one option, padded.
func (b *builder) option(code uint16, value ...any) []byte {
	var all []byte
	for _, v := range value {
		all = b.value(all, v)
	}
	buf := b.AppendUint16(nil, code)
	buf = b.AppendUint16(buf, uint16(len(all)))
	return appendPadding(append(buf, all...), len(all))
}

// packet appends an Enhanced Packet Block.
func (b *builder) packet(iface uint32, ts uint64, data string, origLen uint32, options ...[]byte) *builder {
	body := []any{iface, uint32(ts >> 32), uint32(ts), uint32(len(data)), origLen, appendPadding([]byte(data), len(data))}
	for _, o := range options {
		body = append(body, o)
	}
	return b.block(blockEnhancedPacket, body...)
}
