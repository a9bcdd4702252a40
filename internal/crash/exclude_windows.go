package crash

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// excludedKey is where Windows has the list of programs that Windows Error Reporting is
// not to concern itself with, for all users. WerAddExcludedApplication writes to it,
// too; but the service is to load no DLL just for that.
const excludedKey = `SOFTWARE\Microsoft\Windows\Windows Error Reporting\ExcludedApplications`

// Exclude puts a program, "packetcache.exe", on the list, so that what Windows collects
// of its crashes has no memory. It takes an administrator.
func Exclude(program string) error {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, excludedKey, registry.QUERY_VALUE|registry.SET_VALUE)
	if err == nil {
		defer key.Close()
		if value, _, err := key.GetIntegerValue(program); err == nil && value == 1 {
			return nil
		}
		err = key.SetDWordValue(program, 1)
	}
	if err != nil {
		return fmt.Errorf(`HKLM\%s, %s: %w`, excludedKey, program, err)
	}
	return nil
}

// Include takes the program off the list; that it is not there is no error.
func Include(program string) error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, excludedKey, registry.SET_VALUE)
	if err == nil {
		defer key.Close()
		err = key.DeleteValue(program)
	}
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf(`HKLM\%s, %s: %w`, excludedKey, program, err)
	}
	return nil
}
