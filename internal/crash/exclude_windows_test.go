package crash

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

func excluded(program string) bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, excludedKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	value, kind, err := key.GetIntegerValue(program)
	return err == nil && value == 1 && kind == registry.DWORD
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
	for range 2 {
		if err := Include(program); err != nil {
			t.Error(err)
		}
		if excluded(program) {
			t.Error("it is still on the list")
		}
	}
}
