package pcctl

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// handToCaller does nothing: an elevated prompt belongs to the same user.
func handToCaller(*os.File) error { return nil }

// syncDir does nothing: NTFS journals names.
func syncDir(string) {}

func isDiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}
