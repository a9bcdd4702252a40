package datadir

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A newFile is one of the disk that is being written.
type newFile struct{ *os.File }

// giveWay has what is written to this file wait for others, by a hint that counts
// for the file alone ("FILE_IO_PRIORITY_HINT_INFO structure" on
// learn.microsoft.com). There is a lower one, of tasks in the background, which
// might wait as long as others keep the disk busy, and a stop for it.
func (f *newFile) giveWay() {
	hint := uint64(1) // IoPriorityHintLow, aligned as Windows wants it
	_ = windows.SetFileInformationByHandle(windows.Handle(f.Fd()), windows.FileIoPriorityHintInfo,
		(*byte)(unsafe.Pointer(&hint)), uint32(unsafe.Sizeof(hint)))
}
