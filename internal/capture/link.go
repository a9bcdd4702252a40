package capture

import (
	"context"

	"golang.org/x/net/bpf"

	"github.com/packetcache/packetcache/internal/packet"
)

// A Link is a network interface as the Platform finds it at one moment.
type Link struct {
	// Interface has what is known without opening it; the link type is what is
	// to be expected then.
	packet.Interface
	// Up is whether packets can pass now: switched on, with a carrier.
	Up bool
	// Hardware is the platform's number for the kind of interface (ARPHRD_* on
	// Linux). A change of it can change the link type.
	Hardware uint16
	// Served says, in the platform's own words, what a source for the link is
	// made with: which backend, at which addresses. When it changes, the source
	// is opened anew. Empty where there is only one way.
	Served string
	// Lower are the indexes of the links whose packets this one shows again:
	// the members of a bridge, bond or team, the parent of a VLAN device.
	// Tunnels have none, since what they carry looks different below.
	Lower []int
	// Aside says why the link is left out unless it is asked for by its exact
	// name: "loopback", "copies of other interfaces' packets". Empty for
	// ordinary links.
	Aside string
}

// A Filter keeps packets out of the capture. The zero Filter lets all pass.
type Filter struct {
	// Text is the filter in pcap-filter(7) syntax. Two Filters with the same
	// Text are the same.
	Text string
	// Compile makes the program that judges packets of a link type as they are
	// stored, that is with VLAN tags in place and, for cooked link types, with
	// the cooked header. It is called each time a source is opened.
	Compile func(packet.LinkType) (Program, error)
}

// A Program is a compiled Filter, in two forms that judge alike.
type Program struct {
	// Instructions are classic BPF for the kernel, where packets look there as
	// they are stored. A result of 0 keeps the packet out.
	Instructions []bpf.RawInstruction
	// Match judges the others: the captured bytes, and the length on the wire.
	// One goroutine calls it for each source, and it must not allocate.
	Match func(data []byte, origLen uint32) bool
}

// An OpenConfig is what the Loop asks of a Source besides its link.
type OpenConfig struct {
	// RingBytes is the memory that the kernel's or driver's buffer may take.
	RingBytes int
	// Promiscuous asks for frames that are addressed to others, too.
	Promiscuous bool
	// Filter is the capture filter.
	Filter Filter
}

// Names of the implementations that status shows.
const (
	BackendAFPacket = "afpacket"
	BackendNpcap    = "npcap"
	BackendRawsock  = "rawsock"
)

// Opened is a Source together with what is to be said of it in status.
type Opened struct {
	Source
	// Backend names the implementation, as one of the Backend constants.
	Backend string
	// Note says what the backend cannot see here; empty if it sees all.
	Note string
	// RingBytes is the memory that the buffer takes.
	RingBytes int
}

// A Platform is how the Loop reaches the machine's interfaces.
type Platform interface {
	// Links lists the interfaces that exist now.
	Links() ([]Link, error)
	// Watch returns a channel that receives whenever the list may have changed.
	// Receiving is a hint and hints may be merged. The channel is closed when
	// ctx is done or when watching failed.
	Watch(ctx context.Context) (<-chan struct{}, error)
	// Open begins to capture from a link. The error satisfies
	// errors.Is(err, fs.ErrPermission) if the process may not capture, and
	// errors.Is(err, ErrVanished) if the link is no longer there.
	Open(Link, OpenConfig) (Opened, error)
}
