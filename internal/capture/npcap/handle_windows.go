package npcap

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/packet"
)

// Values of pcap.h.
const (
	errBreak        = -2 // PCAP_ERROR_BREAK
	errNoDevice     = -5
	errDenied       = -8
	errDeniedPromis = -11

	hostHighPrecision = 2 // PCAP_TSTAMP_HOST_HIPREC
	nanoseconds       = 1 // PCAP_TSTAMP_PRECISION_NANO
)

// A handle is a pcap_t. Only one goroutine at a time may use it.
type handle struct {
	lib *library
	p   uintptr

	linkType packet.LinkType
	nano     bool

	// What pcap_next_ex gave last.
	header *header
	data   *byte
}

// openHandle opens a device, with a buffer of kernel bytes in the driver. That
// wakes us when 16,000 bytes have come or, with less, after the timeout; with
// pcap_set_immediate_mode it would for each packet.
func openHandle(lib *library, name string, promiscuous bool, kernel int, timeout time.Duration) (_ *handle, err error) {
	device, err := windows.BytePtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("device name %q: %w", name, err)
	}
	var message [errorBytes]byte
	p, _, _ := syscall.SyscallN(lib.create, uintptr(unsafe.Pointer(device)), uintptr(unsafe.Pointer(&message[0])))
	if p == 0 {
		return nil, fmt.Errorf("pcap_create: %s", windows.ByteSliceToString(message[:]))
	}
	h := &handle{lib: lib, p: p}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	promiscuousMode := uintptr(0)
	if promiscuous {
		promiscuousMode = 1
	}
	for _, set := range []struct {
		name     string
		function uintptr
		value    uintptr
	}{
		{"pcap_set_snaplen", lib.setSnapLen, packet.MaxLen},
		{"pcap_set_promisc", lib.setPromisc, promiscuousMode},
		{"pcap_set_timeout", lib.setTimeout, uintptr(timeout.Milliseconds())},
		{"pcap_set_buffer_size", lib.setBufferSize, uintptr(kernel)},
	} {
		if status := call(set.function, p, set.value); status < 0 {
			return nil, fmt.Errorf("%s(%d): %w", set.name, set.value, h.explain(status))
		}
	}
	// By default Npcap sets its clock once, when the machine starts, and drifts
	// away from the system's. Versions that cannot do better refuse.
	if lib.setTimestampType != 0 {
		call(lib.setTimestampType, p, hostHighPrecision)
	}
	if lib.setTimestampPrecision != 0 {
		h.nano = call(lib.setTimestampPrecision, p, nanoseconds) == 0
	}
	if status := call(lib.activate, p); status < 0 {
		return nil, fmt.Errorf("pcap_activate: %w", h.explain(status))
	}
	dlt := call(lib.datalink, p)
	if dlt < 0 {
		return nil, fmt.Errorf("pcap_datalink: %w", h.explain(dlt))
	}
	h.linkType = linkTypeOf(dlt)
	return h, nil
}

// setFilter has the driver apply a program or, where the driver does not take
// it, wpcap.dll.
func (h *handle) setFilter(program []bpf.RawInstruction) error {
	// struct bpf_program; bpf.RawInstruction is struct bpf_insn.
	filter := struct {
		length       uint32
		instructions *bpf.RawInstruction
	}{uint32(len(program)), &program[0]}
	if status := call(h.lib.setFilter, h.p, uintptr(unsafe.Pointer(&filter))); status < 0 {
		return fmt.Errorf("pcap_setfilter: %w", h.explain(status))
	}
	return nil
}

// next reads a packet: 1 if there is one, 0 if none came within the timeout.
// The packet is valid until next is called again.
func (h *handle) next() int32 {
	// Directly, since call takes its arguments to the heap.
	r, _, _ := syscall.SyscallN(h.lib.nextEx, h.p, uintptr(unsafe.Pointer(&h.header)), uintptr(unsafe.Pointer(&h.data)))
	return int32(r)
}

// dropped is how many packets the driver had no room for so far, modulo 2^32.
func (h *handle) dropped() (uint32, error) {
	var s struct{ received, dropped, interfaceDropped, captured, sent, netDropped uint32 } // struct pcap_stat
	if status := call(h.lib.stats, h.p, uintptr(unsafe.Pointer(&s))); status < 0 {
		return 0, fmt.Errorf("pcap_stats: %w", h.explain(status))
	}
	return s.dropped, nil
}

func (h *handle) close() {
	h.header, h.data = nil, nil // they point into what goes
	_, _, _ = syscall.SyscallN(h.lib.close, h.p)
}

// explain makes an error of a negative status.
func (h *handle) explain(status int32) error {
	message := strings.TrimSpace(text(h.lib.getErr, h.p))
	if message == "" || status != -1 {
		message = strings.TrimSpace(text(h.lib.statusText, uintptr(status)) + " " + message)
	}
	switch {
	case status == errDenied || status == errDeniedPromis:
		return fmt.Errorf("%w: %s (run as administrator)", fs.ErrPermission, message)
	case status == errNoDevice || strings.HasPrefix(message, "The interface disappeared"):
		return fmt.Errorf("%w: %s", capture.ErrVanished, message)
	}
	return errors.New(message)
}
