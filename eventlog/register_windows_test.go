package eventlog

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows/registry"
	xeventlog "golang.org/x/sys/windows/svc/eventlog"
)

func TestRegister(t *testing.T) {
	const source, dll = "PacketCacheTest", `C:\Program Files\100 %TEMP% test\PacketCacheEvents.dll`
	t.Cleanup(func() { _ = Unregister(source) })
	if err := Unregister(source); err != nil {
		t.Errorf("a source that is not there: %v", err)
	}
	// One that somebody registered with the texts of EventCreate.exe is set
	// right, and so is one whose file has moved.
	if err := xeventlog.InstallAsEventCreate(source, xeventlog.Error); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dll, `D:\elsewhere\PacketCacheEvents.dll`, dll, dll} {
		if err := Register(source, path); err != nil {
			t.Fatal(err)
		}
		if !right(source, path) {
			t.Errorf("%s: not registered as it should be", path)
		}
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, sourcesKey+source, registry.QUERY_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	for _, name := range []string{"EventMessageFile", "CategoryMessageFile"} {
		if is, kind, err := key.GetStringValue(name); err != nil || is != dll || kind != registry.SZ {
			t.Errorf("%s is %q of type %d, %v", name, is, kind, err)
		}
	}
	for name, want := range map[string]uint64{"CategoryCount": uint64(len(Categories())), "TypesSupported": 7} {
		if is, _, err := key.GetIntegerValue(name); err != nil || is != want {
			t.Errorf("%s is %d, %v; want %d", name, is, err, want)
		}
	}
	if names, err := key.ReadValueNames(0); err != nil || len(names) != 4 {
		t.Errorf("values %q, %v", names, err)
	}
	if err := Unregister(source); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.OpenKey(registry.LOCAL_MACHINE, sourcesKey+source, registry.QUERY_VALUE); !errors.Is(err, registry.ErrNotExist) {
		t.Errorf("the key is still there: %v", err)
	}
}
