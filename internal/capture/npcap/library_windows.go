package npcap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// ErrNotInstalled says that Npcap is not on this machine. Like all errors of
// this package it is to be read after "Npcap: ".
var ErrNotInstalled = errors.New("not installed")

// A library is a loaded wpcap.dll: the addresses of its functions.
type library struct {
	create, activate, close            uintptr
	setSnapLen, setPromisc, setTimeout uintptr
	setBufferSize, setFilter           uintptr
	datalink, nextEx, stats            uintptr
	getErr, statusText, libVersion     uintptr
	findAllDevs, freeAllDevs           uintptr

	// What is only in newer versions may be 0.
	setTimestampType, setTimestampPrecision uintptr
}

// load loads wpcap.dll from a directory, by its full path, and with what it
// needs from that directory and System32 only. The search path of the process
// stays as it is ("LoadLibraryExW function (libloaderapi.h)").
func load(dir string) (_ *library, err error) {
	path := filepath.Join(dir, "wpcap.dll")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotInstalled
	}
	const from = windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | windows.LOAD_LIBRARY_SEARCH_SYSTEM32
	// wpcap.dll may load Packet.dll by its bare name, and late: it is found
	// then because it is there. Where it is missing, wpcap.dll says so itself.
	_, _ = windows.LoadLibraryEx(filepath.Join(dir, "Packet.dll"), 0, from)
	dll, err := windows.LoadLibraryEx(path, 0, from)
	if err != nil {
		return nil, fmt.Errorf("cannot load %s: %w; installing it anew may help", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, windows.FreeLibrary(dll))
		}
	}()
	l := &library{}
	for name, address := range map[string]*uintptr{
		"pcap_create":          &l.create,
		"pcap_activate":        &l.activate,
		"pcap_close":           &l.close,
		"pcap_set_snaplen":     &l.setSnapLen,
		"pcap_set_promisc":     &l.setPromisc,
		"pcap_set_timeout":     &l.setTimeout,
		"pcap_set_buffer_size": &l.setBufferSize,
		"pcap_setfilter":       &l.setFilter,
		"pcap_datalink":        &l.datalink,
		"pcap_next_ex":         &l.nextEx,
		"pcap_stats":           &l.stats,
		"pcap_geterr":          &l.getErr,
		"pcap_statustostr":     &l.statusText,
		"pcap_lib_version":     &l.libVersion,
		"pcap_findalldevs":     &l.findAllDevs,
		"pcap_freealldevs":     &l.freeAllDevs,
	} {
		if *address, err = windows.GetProcAddress(dll, name); err != nil {
			return nil, fmt.Errorf("%s has no %s; installing a newer Npcap helps", path, name)
		}
	}
	for name, address := range map[string]*uintptr{
		"pcap_set_tstamp_type":      &l.setTimestampType,
		"pcap_set_tstamp_precision": &l.setTimestampPrecision,
	} {
		*address, _ = windows.GetProcAddress(dll, name)
	}
	return l, nil
}

// call calls a function that returns an int. Of the arguments, pointers are
// converted in the call, so that what they point to is kept, on the heap, where
// nothing is moved, until it returns.
//
//go:uintptrescapes
func call(function uintptr, args ...uintptr) int32 {
	r, _, _ := syscall.SyscallN(function, args...)
	return int32(r)
}

// text returns a string of the library's that a function gives.
func text(function uintptr, args ...uintptr) string {
	r, _, _ := syscall.SyscallN(function, args...)
	return stringAt(r)
}

// version is what the library says of itself: "Npcap version 1.87, based on
// libpcap version 1.10.6".
func (l *library) version() string { return text(l.libVersion) }
