package datadir

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// lockName is the file that one process at a time can have open. It is empty, and
// gone when that ends.
const lockName = "lock"

// lockDirectory has no other process lock the directory until it is closed or this
// process ends. As long as the file is open, Windows does not let anybody rename
// the directory or one above it.
func lockDirectory(path string) (io.Closer, error) {
	path = filepath.Join(path, lockName)
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE|windows.DELETE, 0, nil, windows.OPEN_ALWAYS,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_DELETE_ON_CLOSE|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, ErrInUse
	} else if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}
