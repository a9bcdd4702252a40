package crash

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

// excludedKeys are where Windows and Wine have the list.
var excludedKeys = []string{
	`SOFTWARE\Microsoft\Windows\Windows Error Reporting\ExcludedApplications`,
	`SOFTWARE\Microsoft\Windows Error Reporting\ExcludedApplications`,
}

func excluded(program string) bool {
	for _, path := range excludedKeys {
		key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
		if err != nil {
			continue
		}
		value, _, err := key.GetIntegerValue(program)
		key.Close()
		if err == nil && value == 1 {
			return true
		}
	}
	return false
}

func TestExclude(t *testing.T) {
	const program = "packetcache-test.exe"
	if err := Include(program); err != nil {
		t.Errorf("what is not on the list could not be taken off: %v", err)
	}
	for range 2 {
		if err := Exclude(program); err != nil {
			t.Fatal(err)
		}
		if !excluded(program) {
			t.Error("it is not on the list")
		}
	}
	if err := Include(program); err != nil {
		t.Error(err)
	}
	if excluded(program) {
		t.Error("it is still on the list")
	}
}
