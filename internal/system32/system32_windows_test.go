package system32

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// A DLL beside the program or in the current directory is not loaded by its
// name. That it would be, but for this package, show the same file by its path
// and a search that names the program's directory.
func TestPlantedDLL(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const name = "packetcache-planted.dll"
	here := t.TempDir()
	t.Chdir(here)
	for _, dir := range []string{filepath.Dir(self), here} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, emptyDLL(t), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	if _, err := syscall.LoadLibrary(name); !errors.Is(err, windows.ERROR_MOD_NOT_FOUND) {
		t.Fatalf("loading the planted DLL: %v, want %v", err, windows.ERROR_MOD_NOT_FOUND)
	}
	for way, load := range map[string]func() (windows.Handle, error){
		"by its path": func() (windows.Handle, error) { return windows.LoadLibrary(filepath.Join(here, name)) },
		"from the program's directory": func() (windows.Handle, error) {
			return windows.LoadLibraryEx(name, 0, windows.LOAD_LIBRARY_SEARCH_APPLICATION_DIR)
		},
	} {
		h, err := load()
		if err != nil {
			t.Errorf("loading it %s: %v; it proves nothing then", way, err)
		} else if err := windows.FreeLibrary(h); err != nil {
			t.Error(err)
		}
	}
	// What is in the system directory is still found.
	if _, err := syscall.LoadLibrary("version.dll"); err != nil {
		t.Error(err)
	}
}

// emptyDLL is the least that Windows takes for a DLL (learn.microsoft.com, "PE
// Format"): headers and a section of zeros.
func emptyDLL(t *testing.T) []byte {
	t.Helper()
	const headers, section, alignment, page = 0x200, 0x200, 0x200, 0x1000
	machine := map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}[runtime.GOARCH]
	optional := pe.OptionalHeader64{
		Magic: 0x20b, SizeOfInitializedData: section, ImageBase: 0x180000000,
		SectionAlignment: page, FileAlignment: alignment,
		MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6,
		SizeOfImage: 2 * page, SizeOfHeaders: headers, Subsystem: pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics:  pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
		SizeOfStackReserve:  1 << 20,
		SizeOfStackCommit:   page,
		SizeOfHeapReserve:   1 << 20,
		SizeOfHeapCommit:    page,
		NumberOfRvaAndSizes: 16,
	}
	dos := make([]byte, 64)
	copy(dos, "MZ")
	dos[60] = byte(len(dos)) // where the PE header is
	var b bytes.Buffer
	for _, part := range []any{
		dos, []byte("PE\x00\x00"),
		pe.FileHeader{
			Machine: machine, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional)),
			Characteristics: pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
		},
		optional,
		pe.SectionHeader32{
			Name: [8]uint8{'.', 'd', 'a', 't', 'a'}, VirtualSize: section, VirtualAddress: page,
			SizeOfRawData: section, PointerToRawData: headers,
			Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
		},
	} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return append(b.Bytes(), make([]byte, headers+section-b.Len())...)
}
