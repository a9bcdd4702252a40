package guard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// directorySDDL is who may use the directory of the service, and whatever is
// made in it: SYSTEM and Administrators. Nothing is inherited from above.
const directorySDDL = "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// MakeDirectory makes a directory for SYSTEM and administrators alone, or makes
// sure that one is. Any user may create directories in %ProgramData%, so one that
// is there may be of somebody who wants to read what is written to it, or have it
// written elsewhere: an error says what is wrong with it, and it is left alone.
func MakeDirectory(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(directorySDDL)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	err = windows.CreateDirectory(name, &windows.SecurityAttributes{
		Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd,
	})
	if err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	return checkDirectory(path, name)
}

// checkDirectory makes sure that what is there is a directory, and nobody else's.
func checkDirectory(path string, name *uint16) error {
	// While it is open nobody can put another in its place.
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.FILE_READ_ATTRIBUTES, share, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	const kind = windows.FILE_ATTRIBUTE_DIRECTORY | windows.FILE_ATTRIBUTE_REPARSE_POINT
	if info.FileAttributes&kind != windows.FILE_ATTRIBUTE_DIRECTORY {
		return fmt.Errorf("%s is a link, or no directory: remove it", path)
	}
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("reading who may use %s: %w", path, err)
	}
	other, err := othersThanUs(sd, ^windows.ACCESS_MASK(0))
	if err != nil {
		return fmt.Errorf("reading who may use %s: %w", path, err)
	}
	if other != nil {
		return fmt.Errorf("%s is open to others (%s): remove it, and the service makes one that is not", path, accountName(other))
	}
	return nil
}
