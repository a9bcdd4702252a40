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
	parent, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(info.InheritedFromUniqueProcessId))
	if err != nil {
		return false // gone, or not ours to look at: not the manager of a service
	}
	defer func() { _ = windows.CloseHandle(parent) }()
	image := make([]uint16, windows.MAX_PATH)
	size := uint32(len(image))
	if windows.QueryFullProcessImageName(parent, 0, &image[0], &size) != nil {
		return false
	}
	system, err := windows.GetSystemDirectory()
	return err == nil && strings.EqualFold(windows.UTF16ToString(image[:size]), filepath.Join(system, "services.exe"))
}
