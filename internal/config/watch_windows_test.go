package config

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// A key is followed from before it exists to after it has gone.
func TestWatchRegistry(t *testing.T) {
	top := fmt.Sprintf(`SOFTWARE\PacketCacheTest%d`, os.Getpid())
	settings := registryKey{Registry, top + `\Settings`}
	policy := registryKey{Policy, top + `\Policies\PacketCache`}
	remove := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			if err := registry.DeleteKey(registry.LOCAL_MACHINE, path); err != nil && !errors.Is(err, registry.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	clean := func() { remove(settings.path, policy.path, top+`\Policies`, top) }
	clean() // after a process with the same number that was ended
	defer clean()
	set := func(store Store, key string, values ...string) {
		t.Helper()
		err := store.Set(key, values...)
		if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			t.Skip("needs an administrator: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	f := follow(t, settings, policy)
	f.biased("nothing there", 2)
	set(settings, "bias", "3")
	f.biased("a key and a value in it", 3)
	set(settings, "bias", "4")
	f.biased("a value changed", 4)
	set(policy, "bias", "5")
	f.biased("a policy", 5)
	set(settings, "bias", "6")
	set(settings, "interfaces", "Ethernet, 2", "Wi-Fi")
	f.await("a setting below the policy, and another", func(l *Loaded) bool { return l.Bias == 5 && len(l.Interfaces) == 2 })
	remove(policy.path, top+`\Policies`)
	f.biased("the policy gone", 6)

	key, err := registry.OpenKey(registry.LOCAL_MACHINE, settings.path, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		t.Fatal(err)
	}
	err = key.SetBinaryValue("Bias", []byte{1, 2})
	key.Close()
	if err != nil {
		t.Fatal(err)
	}
	f.await("a value of the wrong type", func(l *Loaded) bool { return l.Bias == 6 && len(l.Problems) == 1 })
	if err := settings.Unset("bias"); err != nil {
		t.Fatal(err)
	}
	f.biased("a value removed", 2)

	remove(settings.path)
	f.await("the key removed", func(l *Loaded) bool { return len(l.Interfaces) == 0 })
	set(settings, "bias", "7")
	f.biased("and made again", 7)
	set(policy, "bias", "8")
	f.biased("and a policy", 8)
}
