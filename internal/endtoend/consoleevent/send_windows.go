package main

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// rights are what it takes to start a thread in another process
// (learn.microsoft.com, "CreateRemoteThread function").
const rights = windows.PROCESS_CREATE_THREAD | windows.PROCESS_QUERY_INFORMATION |
	windows.PROCESS_VM_OPERATION | windows.PROCESS_VM_WRITE | windows.PROCESS_VM_READ

// send runs CtrlRoutine in a thread of the process. A library of the system lies at
// one address in all processes.
func send(pid, event uint32) error {
	process, err := windows.OpenProcess(rights, false, pid)
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer func() { _ = windows.CloseHandle(process) }()
	routine := windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
	if err := routine.Find(); err != nil {
		return err
	}
	create := windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateRemoteThread")
	thread, _, err := create.Call(uintptr(process), 0, 0, routine.Addr(), uintptr(event), 0, 0)
	if thread == 0 {
		return fmt.Errorf("CreateRemoteThread: %w", err)
	}
	return windows.CloseHandle(windows.Handle(thread))
}
