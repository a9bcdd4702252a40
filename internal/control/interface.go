package control

import "time"

// An InterfaceState is what happens at an interface.
type InterfaceState string

// The states of an interface.
const (
	// InterfaceCapturing: its packets are recorded.
	InterfaceCapturing InterfaceState = "capturing"
	// InterfaceCovered: its packets are recorded at another one (CoveredBy).
	InterfaceCovered InterfaceState = "covered"
	// InterfaceExcluded: the settings leave it out.
	InterfaceExcluded InterfaceState = "excluded"
	// InterfaceWaiting: it was asked for and is not there yet.
	InterfaceWaiting InterfaceState = "waiting"
	// InterfaceDown: it is there and switched off.
	InterfaceDown InterfaceState = "down"
	// InterfaceGone: it was recorded and is no longer there.
	InterfaceGone InterfaceState = "gone"
	// InterfaceFailed: it cannot be recorded (Error).
	InterfaceFailed InterfaceState = "failed"
	// InterfaceReplayed: it comes from a file.
	InterfaceReplayed InterfaceState = "replayed"
)

// An Interface is a place where packets are recorded, or could be.
type Interface struct {
	// ID numbers the interface in this run of the service, -1 when nothing was
	// ever recorded there.
	ID int `json:"id"`
	// Name is what settings call it: "eth0", "Ethernet 2".
	Name string `json:"name"`
	// Description is free text, such as the adapter's model.
	Description string `json:"description,omitempty"`
	// LinkType says how its packets begin, LinkTypeNumber the same as the
	// LINKTYPE_ number of pcap files (https://www.tcpdump.org/linktypes.html);
	// empty and -1 when not known.
	LinkType       string `json:"link_type"`
	LinkTypeNumber int    `json:"link_type_number"`
	// Addresses are network addresses with prefix lengths, MAC the hardware
	// address in colon notation.
	Addresses []string `json:"addresses"`
	MAC       string   `json:"mac,omitempty"`
	// State is what happens there, Since when.
	State InterfaceState `json:"state"`
	Since time.Time      `json:"since,omitzero"`
	// Backend is what captures: afpacket, npcap, rawsock, replay.
	Backend string `json:"backend,omitempty"`
	// CoveredBy is the name of the interface at which the packets of this one
	// are recorded.
	CoveredBy string `json:"covered_by,omitempty"`
	// Note says what the reader should know: "IPv4 only".
	Note string `json:"note,omitempty"`
	// Error says why nothing is recorded, and what to do.
	Error string `json:"error,omitempty"`
	// Filter is the capture filter in force.
	Filter string `json:"filter,omitempty"`
	// Received packets came from the interface, Stored ones went into the
	// cache, Dropped ones were lost before they reached the service.
	Received Count  `json:"received"`
	Stored   Count  `json:"stored"`
	Dropped  uint64 `json:"dropped"`
}

// Interfaces is the answer to GET /v1/interfaces.
type Interfaces struct {
	Interfaces []Interface `json:"interfaces"`
}
