package npcap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// errorBytes is PCAP_ERRBUF_SIZE, the room for a message of libpcap's.
const errorBytes = 256

// Npcap is Npcap on this machine, whether it is installed or not. It can be
// installed and removed at any time, and is looked for whenever it is asked.
// Its methods may be called from several goroutines at once.
type Npcap struct {
	dir string

	mu  sync.Mutex
	lib *library // once it was loaded, for good
	// A library that cannot be loaded is tried again when its file changes.
	failed    error
	failedFor time.Time
}

// New finds Npcap where it is installed, in System32\Npcap. (In its mode for
// programs made for WinPcap it also stands in System32; but so does WinPcap.)
func New() (*Npcap, error) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, fmt.Errorf("find the system directory: %w", err)
	}
	return &Npcap{dir: filepath.Join(system, "Npcap")}, nil
}

// Installed says when Npcap was installed; the zero time if it is not. It is
// cheap, and what it says changes when it pays to ask for Devices again.
func (n *Npcap) Installed() time.Time {
	info, err := os.Stat(filepath.Join(n.dir, "wpcap.dll"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// library loads wpcap.dll if it is there.
func (n *Npcap) library() (*library, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	installed := n.Installed()
	switch {
	case installed.IsZero():
		return nil, ErrNotInstalled
	case n.lib != nil:
		return n.lib, nil
	case n.failed != nil && n.failedFor.Equal(installed):
		return nil, n.failed
	}
	n.lib, n.failed = load(n.dir)
	n.failedFor = installed
	return n.lib, n.failed
}

// Devices asks Npcap for what it can capture from: names of its devices by the
// interface's GUID, in capitals and braces. The error says why Npcap is of no
// use, as a clause.
func (n *Npcap) Devices() (map[string]string, error) {
	l, err := n.library()
	if err != nil {
		return nil, err
	}
	var first *device
	var message [errorBytes]byte
	if call(l.findAllDevs, uintptr(unsafe.Pointer(&first)), uintptr(unsafe.Pointer(&message[0]))) < 0 {
		return nil, fmt.Errorf("cannot list its devices: %s", windows.ByteSliceToString(message[:]))
	}
	devices := map[string]string{}
	for d := first; d != nil; d = d.next {
		name := windows.BytePtrToString(d.name)
		if key, ok := deviceKey(name); ok {
			devices[key] = name
		}
	}
	if first != nil {
		call(l.freeAllDevs, uintptr(unsafe.Pointer(first)))
	}
	if len(devices) == 0 {
		return nil, errors.New("shows no devices; its driver may be stopped (sc start npcap)")
	}
	return devices, nil
}

// A device is struct pcap_if.
type device struct {
	next        *device
	name        *byte
	description *byte
	addresses   unsafe.Pointer
	flags       uint32
}

// stringAt returns the C string at an address outside of Go's memory.
func stringAt(address uintptr) string {
	return windows.BytePtrToString(*(**byte)(unsafe.Pointer(&address)))
}
