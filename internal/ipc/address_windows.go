package ipc

import (
	"fmt"
	"strings"
)

// DefaultDir is what is appended to the pipe names unless told otherwise.
const DefaultDir = ""

const (
	pipePrefix  = `\\.\pipe\`
	dumpName    = "PacketCache"
	controlName = "PacketCache-control"
)

// maxName is the longest pipe name (CreateNamedPipeW: 256 characters with the
// prefix).
const maxName = 256

// Address is the name of the endpoint's pipe with suffix appended. It fails
// when the suffix cannot be part of a name or makes the two pipes one.
func Address(e Endpoint, suffix string) (string, error) {
	if strings.ContainsAny(suffix, "\\/\x00") {
		return "", fmt.Errorf(`endpoint suffix %q: on Windows this is appended to the names of the pipes and cannot hold \ or /`, suffix)
	}
	if strings.HasPrefix(strings.ToLower(suffix), "-control") {
		return "", fmt.Errorf("endpoint suffix %q would make both pipes one: choose another", suffix)
	}
	name := pipePrefix + dumpName + suffix
	if e == Control {
		name = pipePrefix + controlName + suffix
	}
	if len(name) > maxName {
		return "", fmt.Errorf("endpoint suffix is %d characters too long for a pipe name", len(name)-maxName)
	}
	return name, nil
}
