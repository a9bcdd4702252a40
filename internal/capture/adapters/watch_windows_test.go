package adapters

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
)

// A scene is what a watcher looks at, as the test has it.
type scene struct {
	mu    sync.Mutex
	now   sight
	err   error
	looks int
}

func (s *scene) look() (sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return s.now, s.err
}

func (s *scene) become(now sight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.err = now, err
}

func (s *scene) lookedAt() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

// watch starts a watcher of a scene and returns the event that wakes it and a
// channel of hints.
func watch(t *testing.T, s *scene, poll time.Duration) (windows.Handle, <-chan struct{}) {
	t.Helper()
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{told: event, look: s.look, poll: poll}
	ctx, cancel := context.WithCancel(context.Background())
	hints, ended := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(ended)
		defer w.wakeWhenDone(ctx)()
		w.run(ctx, func() { hints <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	capturetest.Eventually(t, 5*time.Second, "the first look", func() bool { return s.lookedAt() > 0 })
	return event, hints
}

func TestWatcherTellsOfChangesOnly(t *testing.T) {
	one := sight{adapters: []adapter{{index: 4, name: "Ethernet"}}}
	s := &scene{now: one}
	event, hints := watch(t, s, time.Hour)
	for i, step := range []struct {
		name string
		now  sight
		err  error
		want bool
	}{
		{"nothing", one, nil, false},
		{"up", sight{adapters: []adapter{{index: 4, name: "Ethernet", up: true}}}, nil, true},
		{"address", sight{adapters: []adapter{{index: 4, name: "Ethernet", up: true, addrs: prefixes("192.0.2.1/24")}}}, nil, true},
		{"another", sight{adapters: office()}, nil, true},
		{"the same", sight{adapters: office()}, nil, false},
		{"Npcap installed", sight{adapters: office(), npcap: time.Unix(1, 0)}, nil, true},
		{"no list", sight{}, errors.New("no memory"), true},
		{"gone", sight{}, nil, false},
		{"back", one, nil, true},
	} {
		s.become(step.now, step.err)
		changed(event, nil, 0) // as Windows calls it
		capturetest.Eventually(t, 5*time.Second, "a look", func() bool { return s.lookedAt() > i+1 })
		if step.want {
			select {
			case <-hints:
			case <-time.After(5 * time.Second):
				t.Errorf("%s: no hint", step.name)
			}
		} else if len(hints) > 0 {
			t.Errorf("%s: a hint", step.name)
		}
	}
}

func TestWatcherLooksForItself(t *testing.T) {
	s := &scene{}
	_, hints := watch(t, s, 20*time.Millisecond)
	s.become(sight{adapters: office()}, nil)
	select {
	case <-hints:
	case <-time.After(5 * time.Second):
		t.Error("nothing said, and nothing seen")
	}
}

// Windows takes the registrations, and gives them back.
func TestWatch(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		hints, err := p.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		timeout := time.After(5 * time.Second)
		for open := true; open; {
			select {
			case _, open = <-hints:
			case <-timeout:
				t.Fatal("the watch goes on after its end")
			}
		}
	}
}

// Windows calls back from threads of its own, which Go has not made. Wine never
// does, so that a timer stands in for it ("CreateTimerQueueTimer function").
func TestCallbackFromForeignThread(t *testing.T) {
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = windows.CloseHandle(event) }()
	kernel32 := windows.NewLazySystemDLL("kernel32.dll")
	var timer windows.Handle
	const once, inTimerThread = 0, 0x20
	if ok, _, err := kernel32.NewProc("CreateTimerQueueTimer").Call(uintptr(unsafe.Pointer(&timer)), 0,
		windows.NewCallback(changed), uintptr(event), 1, once, inTimerThread); ok == 0 {
		t.Fatal("CreateTimerQueueTimer: ", err)
	}
	if woken, err := windows.WaitForSingleObject(event, 5000); woken != windows.WAIT_OBJECT_0 {
		t.Errorf("the event was not set: %d, %v", woken, err)
	}
	const wait = ^uintptr(0) // INVALID_HANDLE_VALUE: until the callback has returned
	if ok, _, err := kernel32.NewProc("DeleteTimerQueueTimer").Call(0, uintptr(timer), wait); ok == 0 {
		t.Error("DeleteTimerQueueTimer: ", err)
	}
}

// Go moves the stack of a goroutine at any time, and ends the program if what
// it takes for a pointer there cannot be one.
func TestRegisterWhileStacksMove(t *testing.T) {
	ended := make(chan error)
	go func() {
		deep(100)
		ended <- registerOften()
	}()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			runtime.GC() // by which it shrinks
		}
	}
}

//go:noinline
func deep(n int) {
	var room [256]byte
	if n > 0 {
		deep(n - 1)
	}
	runtime.KeepAlive(&room)
}

func registerOften() error {
	for range 2000 {
		deep(20)
		event, err := windows.CreateEvent(nil, 0, 0, nil)
		if err != nil {
			return err
		}
		w := &watcher{told: event}
		if err := errors.Join(w.register(), w.close()); err != nil {
			return err
		}
	}
	return nil
}
