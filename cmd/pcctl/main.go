// Command pcctl shows what the PacketCache service on this machine holds and
// gets captures out of it.
package main

import (
	"os"

	"github.com/packetcache/packetcache/internal/pcctl"
)

func main() {
	os.Exit(pcctl.Main(os.Args, os.Stdout, os.Stderr))
}
