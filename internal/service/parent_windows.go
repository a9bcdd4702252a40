package service

import (
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// startedByServices reports whether the parent of this process is the
// system's services.exe. svc.IsWindowsService asks for session 0 as well,
// which Wine does not know.
func startedByServices() bool {
	var info windows.PROCESS_BASIC_INFORMATION
	if windows.NtQueryInformationProcess(windows.CurrentProcess(), windows.ProcessBasicInformation,
		unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil) != nil {
		return false
	}
	system, err := windows.GetSystemDirectory()
	return err == nil && strings.EqualFold(image(uint32(info.InheritedFromUniqueProcessId)), filepath.Join(system, "services.exe"))
}
