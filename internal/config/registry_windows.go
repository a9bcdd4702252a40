package config

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sys/windows/registry"
)

// maxRegistryValue bounds what is read of one value in bytes.
const maxRegistryValue = 1 << 20

// A registryKey is the Source and Store of settings under one key of
// HKEY_LOCAL_MACHINE, in the 64-bit view.
type registryKey struct {
	origin Origin
	path   string
}

func settingsKey() registryKey { return registryKey{Registry, `SOFTWARE\PacketCache`} }

// policyKey is where Group Policy and Intune write. Only under
// Software\Policies do settings vanish again together with their policy.
func policyKey() registryKey { return registryKey{Policy, `SOFTWARE\Policies\PacketCache`} }

// Origin is Registry or Policy.
func (k registryKey) Origin() Origin { return k.origin }

// Location is the key in the notation of reg.exe.
func (k registryKey) Location() string { return `HKLM\` + k.path }

// Read returns the values under the key; a key that does not exist has none.
func (k registryKey) Read() ([]Entry, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, k.path, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	defer key.Close()
	names, err := key.ReadValueNames(-1)
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	slices.Sort(names)
	var entries []Entry
	for _, name := range names {
		if name == "" { // the key's default value, which tools leave behind
			continue
		}
		size, _, err := key.GetValue(name, nil)
		if errors.Is(err, registry.ErrNotExist) {
			continue // deleted in between
		}
		if err != nil {
			return nil, fmt.Errorf("value %s cannot be read: %w", name, err)
		}
		if size > maxRegistryValue {
			return nil, fmt.Errorf("value %s has %d bytes: no setting is that long", name, size)
		}
		data := make([]byte, size)
		n, valueType, err := key.GetValue(name, data)
		if err != nil {
			return nil, fmt.Errorf("value %s cannot be read: %w", name, err)
		}
		entries = append(entries, registryEntry(k.Location(), name, valueType, data[:min(n, size)], expand))
	}
	return entries, nil
}

func expand(text string) string {
	if expanded, err := registry.ExpandString(text); err == nil {
		return expanded
	}
	return text
}

// Set writes the value in the type that regedit shows best.
func (k registryKey) Set(name string, values ...string) error {
	field, v, err := parseSetting(name, values)
	if err != nil {
		return err
	}
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, k.path, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", k.Location(), err)
	}
	defer key.Close()
	switch v := v.(type) {
	case []string:
		err = key.SetStringsValue(field.Registry, v)
	case bool:
		var on uint32
		if v {
			on = 1
		}
		err = key.SetDWordValue(field.Registry, on)
	case float64:
		if v == math.Trunc(v) {
			err = key.SetDWordValue(field.Registry, uint32(v))
		} else {
			err = key.SetStringValue(field.Registry, formatNumber(v))
		}
	default:
		err = key.SetStringValue(field.Registry, field.words(v)[0])
	}
	if err != nil {
		return fmt.Errorf("%s\\%s cannot be written: %w", k.Location(), field.Registry, err)
	}
	return nil
}

// Unset deletes the value.
func (k registryKey) Unset(name string) error {
	field, ok := FieldByKey(name)
	if !ok {
		return fmt.Errorf("%q is not a setting", name)
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, k.path, registry.SET_VALUE|registry.WOW64_64KEY)
	if err == nil {
		defer key.Close()
		err = key.DeleteValue(field.Registry)
	}
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("%s\\%s cannot be removed: %w", k.Location(), field.Registry, err)
	}
	return nil
}

// Remove deletes the key. Keys of others below it, of which there should be none,
// stay, and it with them.
func (k registryKey) Remove() error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, k.path, registry.QUERY_VALUE|registry.SET_VALUE|registry.WOW64_64KEY)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	var names []string
	if err == nil {
		names, err = key.ReadValueNames(-1)
		for _, name := range names {
			err = errors.Join(err, key.DeleteValue(name))
		}
		key.Close()
	}
	if err == nil {
		err = registry.DeleteKey(registry.LOCAL_MACHINE, k.path)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be removed: %w", k.Location(), err)
	}
	return nil
}
