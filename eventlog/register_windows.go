package eventlog

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// sourcesKey is where the sourcesKey of the log Application are registered
// (learn.microsoft.com, "Event Sources").
const sourcesKey = `SYSTEM\CurrentControlSet\Services\EventLog\Application\`

// Register makes source one of the Event Log, with the texts in the file dll.
// What is registered already as it should be is only read; so without the right
// to write, the error tells that something is not. Nobody else has to register
// the source: kardianos/service would, with the texts of EventCreate.exe.
func Register(source, dll string) error {
	if right(source, dll) {
		return nil
	}
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, sourcesKey+source, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("event source %s: %w", source, err)
	}
	defer key.Close()
	// Which lets EventCreate.exe report under our name.
	if err := key.DeleteValue(customSource); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("event source %s: %s: %w", source, customSource, err)
	}
	for _, name := range files {
		if err := key.SetStringValue(name, dll); err != nil {
			return fmt.Errorf("event source %s: %s: %w", source, name, err)
		}
	}
	for name, number := range numbers {
		if err := key.SetDWordValue(name, number); err != nil {
			return fmt.Errorf("event source %s: %s: %w", source, name, err)
		}
	}
	return nil
}

// Unregister removes source from those of the Event Log. Its events stay, and
// Event Viewer shows of them the inserts only. That it is not there is no error.
func Unregister(source string) error {
	err := registry.DeleteKey(registry.LOCAL_MACHINE, sourcesKey+source)
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("event source %s: %w", source, err)
	}
	return nil
}

const customSource = "CustomSource"

// files are the values that name the file of texts, numbers those that say how
// many categories there are and which types of events.
var (
	files   = []string{"EventMessageFile", "CategoryMessageFile"}
	numbers = map[string]uint32{
		"CategoryCount":  categories,
		"TypesSupported": uint32(Severities),
	}
)

// right reports whether source is registered as Register would do it.
func right(source, dll string) bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, sourcesKey+source, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	for _, name := range files {
		if is, _, err := key.GetStringValue(name); err != nil || is != dll {
			return false
		}
	}
	for name, number := range numbers {
		if is, _, err := key.GetIntegerValue(name); err != nil || is != uint64(number) {
			return false
		}
	}
	_, _, err = key.GetIntegerValue(customSource)
	return errors.Is(err, registry.ErrNotExist)
}
