package service

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// awaitLeftovers waits for the processes of a service that somebody else has
// stopped: the service control manager says so a moment before they have ended
// and their program can be replaced.
func awaitLeftovers(program string) error {
	deadline := time.Now().Add(exitPatience)
	for _, id := range leftovers(program) {
		process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, id)
		if err != nil {
			continue // it has ended
		}
		event, err := windows.WaitForSingleObject(process, uint32(max(0, time.Until(deadline).Milliseconds())))
		_ = windows.CloseHandle(process)
		if err == nil && event == uint32(windows.WAIT_TIMEOUT) {
			err = fmt.Errorf("its process %d has not ended within %v", id, exitPatience)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leftovers are the processes that run a program for the service control
// manager.
func leftovers(program string) (ids []uint32) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	var all []windows.ProcessEntry32
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err := windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		all = append(all, entry)
	}
	managers := map[uint32]bool{}
	for i := range all {
		if strings.EqualFold(nameOf(&all[i]), "services.exe") {
			managers[all[i].ProcessID] = true
		}
	}
	for i := range all {
		if managers[all[i].ParentProcessID] && strings.EqualFold(nameOf(&all[i]), filepath.Base(program)) &&
			strings.EqualFold(image(all[i].ProcessID), filepath.Clean(program)) {
			ids = append(ids, all[i].ProcessID)
		}
	}
	return ids
}

func nameOf(entry *windows.ProcessEntry32) string { return windows.UTF16ToString(entry.ExeFile[:]) }

// image is the path of the program that a process runs, "" if that cannot be
// told.
func image(process uint32) string {
	handle, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, process)
	if err != nil {
		return "" // gone, or not ours to look at
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	path := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(path))
	if windows.QueryFullProcessImageName(handle, 0, &path[0], &size) != nil {
		return ""
	}
	return windows.UTF16ToString(path[:size])
}
