package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// What Windows reads out of a program with our resources, here a copy of this
// one: the file's properties show the version and the description.
func TestWindowsReadsTheVersion(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	path := filepath.Join(t.TempDir(), "packetcache.exe")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := resourcesOf("packetcache", "1.20.3")
	if err != nil {
		t.Fatal(err)
	}
	if err := resources.WriteToEXE(out, io.ReadSeeker(exe)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}

	size, err := windows.GetFileVersionInfoSize(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, size)
	if err := windows.GetFileVersionInfo(path, 0, size, unsafe.Pointer(&block[0])); err != nil {
		t.Fatal(err)
	}
	value := func(name string) (unsafe.Pointer, uint32) {
		t.Helper()
		var p unsafe.Pointer
		var n uint32
		if err := windows.VerQueryValue(unsafe.Pointer(&block[0]), name, unsafe.Pointer(&p), &n); err != nil || n == 0 {
			t.Fatalf("%s: %d, %v", name, n, err)
		}
		return p, n
	}
	root, _ := value(`\`)
	if v := (*windows.VS_FIXEDFILEINFO)(root); v.FileVersionMS != 1<<16|20 || v.FileVersionLS != 3<<16 {
		t.Errorf("file version %x %x", v.FileVersionMS, v.FileVersionLS)
	}
	translation, _ := value(`\VarFileInfo\Translation`)
	language := *(*[2]uint16)(translation) // and code page
	for name, want := range map[string]string{"FileDescription": "PacketCache service", "ProductVersion": "1.20.3"} {
		p, _ := value(fmt.Sprintf(`\StringFileInfo\%04x%04x\%s`, language[0], language[1], name))
		if got := windows.UTF16PtrToString((*uint16)(p)); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
