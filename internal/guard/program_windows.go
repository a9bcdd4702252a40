package guard

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// The rights by which somebody can put something else in the place of a program
// ("File Access Rights Constants" on learn.microsoft.com). Those over its
// directory let one remove it and create another; with those over one further up
// it is renamed and another takes its place. To add directories beside it, which
// all users may in C:\, does no harm.
const (
	fileDeleteChild = 0x40

	overAll       = windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL
	overProgram   = overAll | windows.DELETE | windows.GENERIC_WRITE | windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA
	overDirectory = overAll | windows.DELETE | windows.GENERIC_WRITE | windows.FILE_WRITE_DATA | fileDeleteChild
	overAncestor  = overAll | windows.DELETE | fileDeleteChild
	overRoot      = overAll | fileDeleteChild
)

// ProgramWriters lists who, besides administrators, can put another program in
// the place of one, each account once: at the first place where it can.
func ProgramWriters(program string) ([]Writer, error) {
	self, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	var list []Writer
	listed := map[string]bool{}
	harmful := windows.ACCESS_MASK(overProgram)
	for path := program; ; path = filepath.Dir(path) {
		if path == filepath.Dir(path) {
			harmful = overRoot
		}
		grants, err := others(path)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.mask&harmful != 0 && !listed[g.sid.String()] {
				listed[g.sid.String()] = true
				list = append(list, Writer{Account: accountName(g.sid), Own: g.sid.Equals(self.User.Sid), Path: path})
			}
		}
		switch {
		case path == filepath.Dir(path):
			return list, nil
		case path == program:
			harmful = overDirectory
		default:
			harmful = overAncestor
		}
	}
}

// accountName is how Windows calls an account, or its SID.
func accountName(sid *windows.SID) string {
	name, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil:
		return sid.String()
	case domain == "":
		return name
	}
	return domain + `\` + name
}
