package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"

	"github.com/packetcache/packetcache/eventlog"
)

func TestBuild(t *testing.T) {
	for arch, machine := range map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64} {
		dll, err := build(arch, "1.2.3-4-g0123456+dirty")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := build(arch, "1.2.3-4-g0123456+dirty"); err != nil || !bytes.Equal(again, dll) {
			t.Errorf("%s: another build is different: %v", arch, err)
		}
		file, err := pe.NewFile(bytes.NewReader(dll))
		if err != nil {
			t.Fatal(err)
		}
		optional := file.OptionalHeader.(*pe.OptionalHeader64)
		if file.Machine != machine || file.Characteristics&pe.IMAGE_FILE_DLL == 0 || optional.AddressOfEntryPoint != 0 || optional.SizeOfCode != 0 {
			t.Errorf("%s: not a DLL without code: %+v, %+v", arch, file.FileHeader, optional)
		}
		if len(file.Sections) != 1 || file.Sections[0].Name != ".rsrc" || file.Sections[0].Characteristics&pe.IMAGE_SCN_MEM_EXECUTE != 0 {
			t.Errorf("%s: sections %+v", arch, file.Sections)
		}
		if s := file.Sections[0]; optional.SizeOfImage < s.VirtualAddress+s.VirtualSize || s.Offset+s.Size > uint32(len(dll)) {
			t.Errorf("%s: the section reaches out of the image", arch)
		}
		resources, err := winres.LoadFromEXE(bytes.NewReader(dll))
		if err != nil {
			t.Fatal(err)
		}
		info, err := version.FromBytes(resources.Get(winres.RT_VERSION, winres.ID(1), winres.LCIDDefault))
		if err != nil || info.FileVersion != [4]uint16{1, 2, 3, 0} {
			t.Errorf("%s: version %v, %v", arch, info, err)
		}
		checkTable(t, resources.Get(winres.RT_MESSAGETABLE, winres.ID(1), winres.LCIDDefault))
	}
	if _, err := build("386", "1.2.3"); err == nil || !strings.Contains(err.Error(), "386") {
		t.Errorf("for 386: %v", err)
	}
}

// checkTable reads a message table as FormatMessage does, and compares it with
// the catalogue. That Windows does it so, TestFormatMessage shows.
func checkTable(t *testing.T, table []byte) {
	t.Helper()
	texts := map[uint32]string{}
	word := func(at uint32) uint32 { return binary.LittleEndian.Uint32(table[at:]) }
	for i := range word(0) {
		block := 4 + 12*i
		at := word(block + 8)
		for id := word(block); id <= word(block+4); id++ {
			length := binary.LittleEndian.Uint16(table[at:])
			if length%4 != 0 || binary.LittleEndian.Uint16(table[at+2:]) != 1 {
				t.Fatalf("%d: length %d, flags %d", id, length, table[at+2])
			}
			units := make([]uint16, (length-4)/2)
			if err := binary.Read(bytes.NewReader(table[at+4:]), binary.LittleEndian, units); err != nil {
				t.Fatal(err)
			}
			text := strings.TrimRight(string(utf16.Decode(units)), "\x00")
			texts[id] = text
			at += uint32(length)
		}
	}
	want := map[uint32]string{}
	for _, c := range eventlog.Categories() {
		want[uint32(c)] = c.String()
	}
	for _, e := range eventlog.Events() {
		want[uint32(e.ID)] = e.Text
	}
	if len(texts) != len(want) {
		t.Errorf("%d texts, want %d", len(texts), len(want))
	}
	for id, text := range want {
		if texts[id] != text+"\r\n" {
			t.Errorf("%d: %q, want %q", id, texts[id], text)
		}
	}
}
