package guard

import (
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// fileSDDL is who may use a file of the service: SYSTEM and Administrators,
// wherever it lies.
const fileSDDL = "O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)"

// sharing lets others read a file, rename and remove it while it is open.
const sharing = windows.FILE_SHARE_READ | windows.FILE_SHARE_DELETE

// Create makes a file for SYSTEM and administrators alone, to be read and written;
// the error wraps fs.ErrExist if there is anything of that name.
func Create(path string) (*os.File, error) {
	sd, err := windows.SecurityDescriptorFromString(fileSDDL)
	if err != nil {
		return nil, err
	}
	h, err := createFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, sharing, &windows.SecurityAttributes{
		Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd,
	}, windows.CREATE_NEW)
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// Open opens a file, with os.O_RDONLY or os.O_RDWR as flag, that nobody can have
// written but administrators, SYSTEM and this user. Links, whatever is no regular
// file, and files with more than one name are refused; the error says so.
func Open(path string, flag int) (*os.File, error) {
	access := uint32(windows.GENERIC_READ)
	if flag == os.O_RDWR {
		access |= windows.GENERIC_WRITE
	}
	h, err := createFile(path, access, sharing, nil, windows.OPEN_EXISTING)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if err := checkFile(path, h); err != nil {
		_ = windows.CloseHandle(h)
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}

// createFile opens what is there and not what it leads to.
func createFile(path string, access, share uint32, sa *windows.SecurityAttributes, how uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, access, share, sa, how, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
}

func checkFile(path string, h windows.Handle) error {
	kind, err := windows.GetFileType(h)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	if kind != windows.FILE_TYPE_DISK {
		return fmt.Errorf("%s is no file", path)
	}
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	if info.FileAttributes&(windows.FILE_ATTRIBUTE_DIRECTORY|windows.FILE_ATTRIBUTE_REPARSE_POINT) != 0 {
		return fmt.Errorf("%s is a link, or no file: remove it", path)
	}
	if info.NumberOfLinks > 1 {
		return fmt.Errorf("%s has %d names (hard links): remove the others", path, info.NumberOfLinks)
	}
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("reading who may change %s: %w", path, err)
	}
	other, err := othersThanUs(sd, overProgram)
	if err != nil {
		return fmt.Errorf("reading who may change %s: %w", path, err)
	}
	if other != nil {
		return fmt.Errorf("%s may be changed by others (%s): remove it", path, accountName(other))
	}
	return nil
}

// othersThanUs returns one account that is neither an owner of the machine nor
// this process's, and has any of the rights; nil if there is none.
func othersThanUs(sd *windows.SECURITY_DESCRIPTOR, rights windows.ACCESS_MASK) (*windows.SID, error) {
	grants, err := grantsOf(sd)
	if err != nil {
		return nil, err
	}
	self, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if g.mask&rights != 0 && !g.sid.Equals(self.User.Sid) {
			return g.sid, nil
		}
	}
	return nil, nil //nolint:nilnil // nobody
}

// SyncDirectory has nothing to do: Replace waits for the disk.
func SyncDirectory(string) error { return nil }
