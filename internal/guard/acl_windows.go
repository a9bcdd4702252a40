package guard

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// trustedInstaller is the account that owns Windows' own files.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// owners are the accounts that own the machine: nothing is to be kept from them.
func owners(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		sid.String() == trustedInstaller
}

// A grant is a right that somebody else has.
type grant struct {
	sid  *windows.SID
	mask windows.ACCESS_MASK
}

// others lists what accounts other than the owners of the machine may do to a
// file or directory: the owner whatever he wants, since he may change the list.
// Denials are not looked at, so that somebody may be listed who is denied it.
func others(path string) ([]grant, error) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil, fmt.Errorf("reading who may change %s: %w", path, err)
	}
	return grantsOf(sd)
}

func grantsOf(sd *windows.SECURITY_DESCRIPTOR) ([]grant, error) {
	var list []grant
	owner, _, err := sd.Owner()
	if err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	if owner != nil && !owners(owner) {
		list = append(list, grant{owner, windows.WRITE_DAC})
	}
	acl, _, err := sd.DACL()
	if err != nil {
		return nil, fmt.Errorf("access control list: %w", err)
	}
	if acl == nil { // of a file system that has none
		everyone, err := windows.CreateWellKnownSid(windows.WinWorldSid)
		return append(list, grant{everyone, windows.GENERIC_ALL}), err
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return nil, fmt.Errorf("entry %d of the access control list: %w", i, err)
		}
		if ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue // it is for what will be made in there
		}
		// The second is for accounts that meet a condition as well ("Access
		// Control Entry (ACE)" on learn.microsoft.com); files have no others that
		// allow something.
		const callback = 9
		if kind := ace.Header.AceType; kind != windows.ACCESS_ALLOWED_ACE_TYPE && kind != callback {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		// What the owner has by this name, he has by his own.
		if !owners(sid) && !sid.IsWellKnown(windows.WinCreatorOwnerRightsSid) {
			list = append(list, grant{sid, ace.Mask})
		}
	}
	return list, nil
}
