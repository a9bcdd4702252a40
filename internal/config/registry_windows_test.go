package config

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

func TestRemoveKey(t *testing.T) {
	k := registryKey{Registry, `SOFTWARE\PacketCacheTest\Remove`}
	t.Cleanup(func() { _ = registry.DeleteKey(registry.LOCAL_MACHINE, `SOFTWARE\PacketCacheTest`) })
	if err := k.Remove(); err != nil {
		t.Errorf("without a key: %v", err)
	}
	if err := k.Set("bias", "3"); err != nil {
		t.Skip("needs an administrator: ", err)
	}
	if err := k.Set("exclude", "a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := k.Remove(); err != nil {
		t.Error(err)
	}
	if key, err := registry.OpenKey(registry.LOCAL_MACHINE, k.path, registry.READ); err == nil {
		key.Close()
		t.Error("the key is still there")
	}
}
