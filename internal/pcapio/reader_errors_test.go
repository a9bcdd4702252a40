package pcapio

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadErrors(t *testing.T) {
	le := func() *builder { return newBuilder(littleEndian) }
	ng := func() *builder { return le().section() } // 28 bytes
	one := func() *builder { return ng().iface(1, 0).packet(0, 1, "good", 4) }
	const oneLen = 28 + 20 + 36
	opt := le().option
	for name, c := range map[string]struct {
		file   *builder
		offset int64
		want   string
	}{
		"empty":               {le(), 0, "the file is empty"},
		"three bytes":         {le().words("\xd4\xc3\xb2"), 0, "ends after 3 of its 4"},
		"text":                {le().words("hello, world"), 0, "begins with 68 65 6c 6c"},
		"gzip":                {le().words("\x1f\x8b\x08\x00\x00"), 0, "gzip: decompress it first"},
		"xz":                  {le().words("\xfd7zXZ\x00"), 0, "xz: decompress it first"},
		"snoop":               {le().words("snoop\x00\x00\x00"), 0, "snoop: convert it with editcap"},
		"zstd":                {le().words("\x28\xb5\x2f\xfd\x00"), 0, "zstd: decompress it first"},
		"half a header":       {le().words(uint32(magicMicro), uint32(0)), 0, "the pcap header is cut short: the file ends after 8 of its 24 bytes"},
		"version 1":           {le().words(uint32(magicMicro), uint16(1), uint16(2), make([]byte, 16)), 0, "pcap version 1.2"},
		"record header cut":   {le().header(magicMicro, 4, 1).words(uint32(0)), 24, "ends after 4 of its 16"},
		"record cut":          {le().header(magicMicro, 4, 1).words(uint64(0), uint32(9), uint32(9), "abc"), 24, "ends after 19 of its 25"},
		"record too long":     {le().header(magicMicro, 4, 1).words(uint64(0), uint32(262145), uint32(9)), 24, "262145 is more than 262144"},
		"byte-order magic":    {le().words(uint32(magicSection), uint32(28), "abcd", uint64(0), uint64(0)), 0, "byte-order magic"},
		"section cut":         {le().words(uint32(magicSection), uint32(28), uint32(byteOrderMagic)), 0, "ends after 12 of its 28"},
		"section version":     {le().block(magicSection, uint32(byteOrderMagic), uint16(2), uint16(0), ^uint64(0)), 0, "pcapng version 2.0"},
		"section too short":   {le().block(magicSection, uint32(byteOrderMagic), uint16(1), uint16(0)), 0, "length 20, but needs 28"},
		"second section":      {one().words(uint32(magicSection), uint32(28), uint32(0), uint32(0)), oneLen, "byte-order magic is 0x000000"},
		"block header cut":    {one().words(uint16(6)), oneLen, "block header is cut short"},
		"block too short":     {one().words(uint32(6), uint32(8)), oneLen, "length 8, but needs 12"},
		"block not aligned":   {one().words(uint32(6), uint32(33)), oneLen, "not a multiple of 4"},
		"block too long":      {one().words(uint32(6), uint32(windowSize+4), uint64(0)), oneLen, "more than 1048576"},
		"block cut":           {one().words(uint32(6), uint32(64), uint64(0)), oneLen, "ends after 16 of its 64"},
		"unknown block cut":   {one().words(uint32(99), uint32(0xfffffffc), uint64(0)), oneLen, "ends after 16 of its 4294967292"},
		"lengths differ":      {one().words(uint32(6), uint32(12), uint32(16)), oneLen, "12 at its start and 16 at its end"},
		"unknown, they too":   {one().words(uint32(99), uint32(12), uint32(16)), oneLen, "12 at its start and 16 at its end"},
		"no such interface":   {one().packet(1, 1, "x", 1), oneLen, "names interface 1, but the section has described 1"},
		"simple, none at all": {ng().block(blockSimplePacket, uint32(0)), 28, "names interface 0, but the section has described 0"},
		"forgotten interface": {one().section().packet(0, 1, "x", 1), oneLen + 28, "names interface 0, but the section has described 0"},
		"packet too long":     {one().block(blockEnhancedPacket, uint32(0), uint64(0), uint32(262145), uint32(9)), oneLen, "262145 is more than 262144"},
		"beyond its block":    {one().block(blockEnhancedPacket, uint32(0), uint64(0), uint32(5), uint32(9), "abcd"), oneLen, "5 is more than the 4 bytes of its block"},
		"enhanced too short":  {one().block(blockEnhancedPacket, uint32(0)), oneLen, "Enhanced Packet Block has 4 bytes"},
		"obsolete too short":  {one().block(blockObsoletePacket, uint32(0)), oneLen, "Packet Block has 4 bytes"},
		"simple too short":    {one().block(blockSimplePacket), oneLen, "Simple Packet Block has 0 bytes"},
		"simple too long":     {one().block(blockSimplePacket, uint32(262145)), oneLen, "262145 is more than 262144"},
		"simple beyond":       {one().block(blockSimplePacket, uint32(5), "abcd"), oneLen, "5 is more than the 4 bytes of its block"},
		"interface too short": {ng().block(blockInterface, uint32(1)), 28, "Interface Description Block has 4 bytes"},
		"option of 9 bytes":   {ng().iface(1, 0, []byte{2, 0, 9, 0}), 28, "bad option: option 2 of 9 bytes does not fit into the 0"},
		"option too long":     {ng().iface(1, 0, []byte{2, 0, 5, 0, 'a', 'b', 'c', 'd'}), 28, "option 2 of 5 bytes does not fit into the 4"},
		"tsresol":             {ng().iface(1, 0, opt(optTSResol, uint32(6))), 28, "if_tsresol has 4 bytes, not 1"},
		"tsoffset":            {ng().iface(1, 0, opt(optTSOffset, uint32(6))), 28, "if_tsoffset has 4 bytes, not 8"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readOurs(t, c.file.file)
			if err == nil {
				t.Fatalf("no error, %d packets", len(got))
			}
			var format *FormatError
			if !errors.As(err, &format) || format.Offset != c.offset || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want byte %d: ...%s", err, c.offset, c.want)
			}
			cut := strings.Contains(c.want, "ends after") || strings.Contains(c.want, "cut short") || name == "empty"
			if errors.Is(err, io.ErrUnexpectedEOF) != cut {
				t.Errorf("%v: truncation %v, want %v", err, !cut, cut)
			}
			checkFormatError(t, c.file.file, got, err)
		})
	}
}

// Every cut of a file is either between two packets or an error about the
// record that was cut.
func TestReadEveryPrefix(t *testing.T) {
	b := newBuilder(bigEndian)
	b.section().iface(1, 0, b.option(optName, "eth0")).packet(0, 1, "one", 3).block(77, "?").packet(0, 2, "two", 3)
	c := newBuilder(littleEndian).header(magicMicro, 4, 1)
	for range 3 {
		c.words(uint64(0), uint32(4), uint32(4), "data")
	}
	for name, file := range map[string][]byte{"pcapng": b.file, "pcap": c.file} {
		clean := 0
		for n := range len(file) {
			got, err := readOurs(t, file[:n])
			if err == nil {
				clean++
				continue
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
			checkFormatError(t, file[:n], got, err)
		}
		if want := map[string]int{"pcapng": 4, "pcap": 3}[name]; clean != want {
			t.Errorf("%s has %d clean cuts, want %d", name, clean, want)
		}
	}
}
