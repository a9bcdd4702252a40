package ipc

import (
	"fmt"
	"path/filepath"
)

// DefaultDir is where the sockets live unless told otherwise.
const DefaultDir = "/run/packetcache"

// maxPath is the longest path that fits a socket address (unix(7): 108 bytes
// with the NUL).
const maxPath = 107

// Address is the path of the endpoint's socket in dir, DefaultDir when empty.
// It fails when the path does not fit a socket address.
func Address(e Endpoint, dir string) (string, error) {
	if dir == "" {
		dir = DefaultDir
	}
	name := "PacketCache"
	if e == Control {
		name = "control"
	}
	path := filepath.Join(dir, name)
	if n := len(path); n > maxPath {
		return "", fmt.Errorf("endpoint directory %q is %d bytes too long for a socket: choose a shorter one", dir, n-maxPath)
	}
	return path, nil
}
