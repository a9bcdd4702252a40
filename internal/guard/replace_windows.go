package guard

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// What scans files for viruses or indexes them opens those that were just closed,
// for a moment, and not always so that they can be renamed.
const (
	replaceTries = 20
	replacePause = 50 * time.Millisecond
)

// Replace gives a file another name, and removes what had that name before. It
// returns when that is on the disk.
func Replace(from, to string) error {
	source, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	target, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := windows.MoveFileEx(source, target, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
		if err == nil {
			return nil
		}
		if moved, err := displace(from, to); moved {
			return err
		}
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || try == replaceTries {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
		time.Sleep(replacePause)
	}
}

// fileRenameInformationEx is FileRenameInformationEx of FILE_INFORMATION_CLASS (wdm.h).
const fileRenameInformationEx = 65

// displace is Replace for a name whose file somebody reads, as pcctl does: they go on
// with what they have opened (FILE_RENAME_POSIX_SEMANTICS, ntifs.h; Windows 10 version
// 1709 and later, NTFS). Readers have to share deletion for it. The error of what was
// moved says that it may not be on the disk.
func displace(from, to string) (moved bool, err error) {
	source, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return false, err
	}
	to, err = filepath.Abs(to)
	if err != nil || strings.HasPrefix(to, `\\`) {
		return false, err // what is on a share is left to MoveFileEx
	}
	name, err := windows.UTF16FromString(`\??\` + to)
	if err != nil {
		return false, err
	}
	h, err := windows.CreateFile(source, windows.DELETE|windows.SYNCHRONIZE|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	info := renameInformation(name[:len(name)-1])
	var status windows.IO_STATUS_BLOCK
	if err := windows.NtSetInformationFile(h, &status, &info[0], uint32(len(info)), fileRenameInformationEx); err != nil {
		return false, err
	}
	if err := windows.FlushFileBuffers(h); err != nil {
		return true, &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return true, nil
}

// renameInformation is a FILE_RENAME_INFORMATION: flags, a directory (none), the
// length of the name in bytes, and the name.
func renameInformation(name []uint16) []byte {
	const pointer = int(unsafe.Sizeof(uintptr(0)))
	info := make([]byte, 2*pointer+4, 2*pointer+4+2*len(name)+4)
	binary.LittleEndian.PutUint32(info, windows.FILE_RENAME_REPLACE_IF_EXISTS|windows.FILE_RENAME_POSIX_SEMANTICS)
	binary.LittleEndian.PutUint32(info[2*pointer:], uint32(2*len(name)))
	for _, c := range name {
		info = binary.LittleEndian.AppendUint16(info, c)
	}
	return info[:max(len(info), 3*pointer)] // the structure itself is no shorter
}
