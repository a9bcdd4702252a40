package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// rearm is after how long a registry key is looked at again, whatever the
// notifications say.
const rearm = 5 * time.Minute

// watch waits for notifications of the key, if there is one, and of those above
// it, in which it comes and goes ("RegNotifyChangeKeyValue function").
func (k registryKey) watch(ctx context.Context, hint func()) error {
	stop, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return fmt.Errorf("watching %s: %w", k.Location(), err)
	}
	defer func() { _ = windows.CloseHandle(stop) }()
	stopped := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = windows.SetEvent(stop)
	})
	defer func() {
		if !cancel() {
			<-stopped // before its handle is closed
		}
	}()
	for ctx.Err() == nil {
		if err := k.wait(stop, hint); err != nil {
			return fmt.Errorf("watching %s: %w", k.Location(), err)
		}
	}
	return nil
}

// wait returns after the next change, or when stop is signalled.
func (k registryKey) wait(stop windows.Handle, hint func()) error {
	// An event for this wait alone: closing a key signals it, too.
	changed, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(changed) }()
	// From above, so that a key that comes after it was not found is noticed.
	levels := strings.Split(k.path, `\`)
	for n := range levels {
		key, err := notify(strings.Join(levels[:n+1], `\`), n == len(levels)-1, changed)
		if errors.Is(err, registry.ErrNotExist) || errors.Is(err, windows.ERROR_KEY_DELETED) {
			break
		}
		if err != nil {
			return err
		}
		defer key.Close()
	}
	hint() // at what came before
	_, err = windows.WaitForMultipleObjects([]windows.Handle{stop, changed}, false, uint32(rearm.Milliseconds()))
	return err
}

// notify has an event signalled at the next change of the names of a key's
// subkeys or, if wanted, of its values. The key is to be closed later.
func notify(path string, values bool, event windows.Handle) (registry.Key, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.NOTIFY|registry.WOW64_64KEY)
	if err != nil {
		return 0, err
	}
	// Without THREAD_AGNOSTIC the notification would end with the thread, which
	// in Go is any.
	var notices uint32 = windows.REG_NOTIFY_CHANGE_NAME | windows.REG_NOTIFY_THREAD_AGNOSTIC
	if values {
		notices |= windows.REG_NOTIFY_CHANGE_LAST_SET
	}
	if err := windows.RegNotifyChangeKeyValue(windows.Handle(key), false, notices, event, true); err != nil {
		key.Close()
		return 0, err
	}
	return key, nil
}
