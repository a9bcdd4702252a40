package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
)

// Sizes and places in the skeleton, in bytes.
const (
	sizeOfDOSHeader = 64
	fileAlignment   = 0x200
	pageAlignment   = 0x1000
)

// emptyDLL is the least that Windows takes for a DLL: headers, no code, and one
// section for resources, with none in it (learn.microsoft.com, "PE Format").
func emptyDLL(arch string) ([]byte, error) {
	machine, ok := map[string]uint16{
		"amd64": pe.IMAGE_FILE_MACHINE_AMD64,
		"arm64": pe.IMAGE_FILE_MACHINE_ARM64,
	}[arch]
	if !ok {
		return nil, fmt.Errorf("architecture %q: known are amd64 and arm64", arch)
	}
	directory := make([]byte, 16) // IMAGE_RESOURCE_DIRECTORY without entries
	section := pe.SectionHeader32{
		Name:             [8]uint8{'.', 'r', 's', 'r', 'c'},
		VirtualSize:      uint32(len(directory)),
		VirtualAddress:   pageAlignment,
		SizeOfRawData:    fileAlignment,
		PointerToRawData: fileAlignment,
		Characteristics:  pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	optional := pe.OptionalHeader64{
		Magic:                       0x20b, // PE32+
		SizeOfInitializedData:       section.SizeOfRawData,
		ImageBase:                   0x180000000, // the usual one of 64-bit DLLs
		SectionAlignment:            pageAlignment,
		FileAlignment:               fileAlignment,
		MajorOperatingSystemVersion: 6, // 6.2: there is no arm64 before it
		MinorOperatingSystemVersion: 2,
		MajorSubsystemVersion:       6,
		MinorSubsystemVersion:       2,
		SizeOfImage:                 2 * pageAlignment,
		SizeOfHeaders:               fileAlignment,
		Subsystem:                   pe.IMAGE_SUBSYSTEM_WINDOWS_GUI,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA | pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE |
			pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT | pe.IMAGE_DLLCHARACTERISTICS_NO_SEH,
		NumberOfRvaAndSizes: 16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_RESOURCE] = pe.DataDirectory{
		VirtualAddress: section.VirtualAddress,
		Size:           section.VirtualSize,
	}
	file := pe.FileHeader{
		Machine:              machine,
		NumberOfSections:     1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	}

	dos := make([]byte, sizeOfDOSHeader)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3c:], sizeOfDOSHeader) // e_lfanew: where the PE header is
	out := bytes.NewBuffer(dos)
	out.WriteString("PE\x00\x00")
	for _, part := range []any{&file, &optional, &section} {
		if err := binary.Write(out, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	out.Write(make([]byte, fileAlignment-out.Len()))
	out.Write(directory)
	out.Write(make([]byte, 2*fileAlignment-out.Len()))
	return out.Bytes(), nil
}
