package adapters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	// poll is how often the list is looked at when Windows says nothing.
	poll = 5 * time.Second
	// relist is how often the list is made anew though it has not changed:
	// Npcap's driver can be stopped and started without a trace in it.
	relist = time.Minute
)

// Watch implements capture.Platform: Windows tells of changes to interfaces and
// their addresses ("NotifyIpInterfaceChange function" and
// "NotifyUnicastIpAddressChange function (netioapi.h)"), but not of all: not of
// adapters without TCP/IP, and not of Npcap. So it also looks for itself.
func (p *Platform) Watch(ctx context.Context) (<-chan struct{}, error) {
	told, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: CreateEvent: %w", err)
	}
	w := &watcher{told: told, look: p.look, poll: poll}
	if err := w.register(); err != nil {
		return nil, errors.Join(fmt.Errorf("watch interfaces: %w", err), w.close())
	}
	hints := make(chan struct{}, 1)
	go func() {
		defer close(hints)
		defer w.wakeWhenDone(ctx)()
		w.run(ctx, func() {
			select {
			case hints <- struct{}{}:
			default: // one hint is waiting already
			}
		})
	}()
	return hints, nil
}

// A sight is what a look at the machine shows.
type sight struct {
	adapters []adapter
	npcap    time.Time // when it was installed
}

func (p *Platform) look() (sight, error) {
	list, err := bound()
	return sight{list, p.npcap.Installed()}, err
}

func (s *sight) equal(t *sight) bool {
	return s.npcap.Equal(t.npcap) && slices.EqualFunc(s.adapters, t.adapters, func(a, b adapter) bool {
		return a.index == b.index && a.name == b.name && a.guid == b.guid && a.ifType == b.ifType &&
			a.up == b.up && slices.Equal(a.mac, b.mac) && slices.Equal(a.addrs, b.addrs)
	})
}

// A watcher waits for changes.
type watcher struct {
	told          windows.Handle // an event
	registrations []windows.Handle
	look          func() (sight, error)
	poll          time.Duration
}

// register asks Windows to set the event at each change. The callback gets the
// event as its context and does nothing else, so that it cannot block, and
// nothing of Go's memory is in Windows' hands. The functions are called by
// address, since those of package windows take the context as a pointer: a
// handle is none, and Go ends a program whose stack it moves with one on it.
func (w *watcher) register() error {
	callback := windows.NewCallback(changed)
	library := windows.NewLazySystemDLL("iphlpapi.dll")
	for _, name := range []string{"NotifyIpInterfaceChange", "NotifyUnicastIpAddressChange"} {
		notify := library.NewProc(name)
		if err := notify.Find(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var registration windows.Handle
		const tellNow = 0
		status, _, _ := notify.Call(windows.AF_UNSPEC, callback, uintptr(w.told), tellNow, uintptr(unsafe.Pointer(&registration)))
		if status != 0 {
			return fmt.Errorf("%s: %w", name, windows.Errno(status))
		}
		w.registrations = append(w.registrations, registration)
	}
	return nil
}

// changed is a PIPINTERFACE_CHANGE_CALLBACK, and one for addresses.
func changed(event windows.Handle, _ unsafe.Pointer, _ uint32) uintptr {
	_ = windows.SetEvent(event)
	return 0
}

// close ends the registrations, and waits for callbacks that are under way
// ("CancelMibChangeNotify2 function (netioapi.h)").
func (w *watcher) close() error {
	var errs []error
	for _, r := range w.registrations {
		errs = append(errs, windows.CancelMibChangeNotify2(r))
	}
	return errors.Join(append(errs, windows.CloseHandle(w.told))...)
}

// wakeWhenDone sees to it that waiting ends with ctx. What it returns is to be
// called after that, and closes the watcher.
func (w *watcher) wakeWhenDone(ctx context.Context) (end func()) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = windows.SetEvent(w.told)
		close(woken)
	})
	return func() {
		if !stop() {
			<-woken // which uses the event
		}
		_ = w.close()
	}
}

// run calls hint for each change until ctx is done or waiting fails.
func (w *watcher) run(ctx context.Context, hint func()) {
	last, _ := w.look()
	hinted := time.Now()
	for {
		if _, err := windows.WaitForSingleObject(w.told, uint32(w.poll.Milliseconds())); err != nil || ctx.Err() != nil {
			return
		}
		now, err := w.look()
		if err != nil || !now.equal(&last) || time.Since(hinted) >= relist {
			last, hinted = now, time.Now()
			hint()
		}
	}
}
