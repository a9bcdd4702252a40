package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/eventlog"
)

// Windows itself finds every text in the DLL and puts the inserts in, also in
// the DLL for another architecture.
func TestFormatMessage(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		dll, err := build(arch, "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), eventlog.DLL)
		if err := os.WriteFile(path, dll, 0o600); err != nil {
			t.Fatal(err)
		}
		var flags uintptr = windows.LOAD_LIBRARY_AS_DATAFILE
		if arch == runtime.GOARCH {
			flags |= windows.LOAD_LIBRARY_AS_IMAGE_RESOURCE
		}
		module, err := windows.LoadLibraryEx(path, 0, flags)
		if err != nil {
			t.Fatalf("%s: %v", arch, err)
		}
		for _, c := range eventlog.Categories() {
			if got, err := formatMessage(module, uint32(c), nil); err != nil || got != c.String() {
				t.Errorf("%s: category %d is %q, %v; want %s", arch, c, got, err, c)
			}
		}
		for _, e := range eventlog.Events() {
			var inserts []string
			want := e.Text
			for i, in := range e.Inserts {
				value := fmt.Sprintf("<%s of %d, 100 %%>", in.Name, e.ID)
				inserts = append(inserts, value)
				want = strings.ReplaceAll(want, fmt.Sprintf("%%%d", i+1), value)
			}
			if got, err := formatMessage(module, uint32(e.ID), inserts); err != nil || got != want {
				t.Errorf("%s: event %d is %q, %v; want %q", arch, e.ID, got, err, want)
			}
		}
		if got, err := formatMessage(module, 1000, nil); err == nil {
			t.Errorf("%s: an ID that is none has the text %q", arch, got)
		}
		if err := windows.FreeLibrary(module); err != nil {
			t.Error(err)
		}
	}
}

// formatMessage is the text of an ID in a module, without the line break at
// its end.
func formatMessage(module windows.Handle, id uint32, inserts []string) (string, error) {
	pointers := make([]*uint16, len(inserts)+1)
	for i, s := range inserts {
		p, err := windows.UTF16PtrFromString(s)
		if err != nil {
			return "", err
		}
		pointers[i] = p
	}
	buf := make([]uint16, 4096)
	n, err := windows.FormatMessage(windows.FORMAT_MESSAGE_FROM_HMODULE|windows.FORMAT_MESSAGE_ARGUMENT_ARRAY,
		uintptr(module), id, 0, buf, (*byte)(unsafe.Pointer(&pointers[0])))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(windows.UTF16ToString(buf[:n]), "\r\n"), nil
}
