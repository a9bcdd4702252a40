package npcap

import (
	"bytes"
	"encoding/binary"
	"runtime"
)

// emptyDLL makes a library without a single function, as the PE format has it
// ("PE Format" on learn.microsoft.com): headers and one empty section.
func emptyDLL() []byte {
	machine := map[string]uint16{"amd64": 0x8664, "arm64": 0xaa64}[runtime.GOARCH]
	var b bytes.Buffer
	put := func(fields ...any) {
		for _, f := range fields {
			_ = binary.Write(&b, binary.LittleEndian, f) // a Buffer takes all
		}
	}
	put([]byte("MZ"), make([]byte, 58), uint32(64), []byte("PE\x00\x00"))
	// COFF header: one section, 64 bit, an executable DLL without relocations.
	put(machine, uint16(1), uint32(0), uint32(0), uint32(0), uint16(240), uint16(0x2023))
	// Optional header, PE32+: no entry point.
	put(uint16(0x20b), uint16(0), uint32(0x200), uint32(0), uint32(0), uint32(0), uint32(0x1000))
	put(uint64(0x6_4000_0000), uint32(0x1000), uint32(0x200)) // base, alignment in memory and file
	put(uint16(6), uint16(0), uint16(0), uint16(0), uint16(6), uint16(0), uint32(0))
	put(uint32(0x2000), uint32(0x200), uint32(0), uint16(3), uint16(0x100)) // size of image and headers, console, NX
	put(uint64(0x10_0000), uint64(0x1000), uint64(0x10_0000), uint64(0x1000), uint32(0), uint32(16))
	put(make([]byte, 16*8)) // no directories
	// Section header.
	put([]byte(".text\x00\x00\x00"), uint32(0x200), uint32(0x1000), uint32(0x200), uint32(0x200))
	put(uint32(0), uint32(0), uint32(0), uint32(0x6000_0020))
	return append(b.Bytes(), make([]byte, 0x400-b.Len())...)
}
