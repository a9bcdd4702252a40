// Package linux carries the systemd unit of the service, which packages for
// Linux distributions ship as it is and pcctl install adapts to its machine.
package linux

import _ "embed" // for Unit

// Unit is the text of packetcache.service (systemd.unit(5)).
//
//go:embed packetcache.service
var Unit string
