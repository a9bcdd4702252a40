// Command pcctl shows what the PacketCache service on this machine holds and
// gets captures out of it.
package main

import (
	"os"

	"github.com/packetcache/packetcache/internal/pcctl"
	_ "github.com/packetcache/packetcache/internal/system32" // before anything loads a DLL
)

func main() {
	os.Exit(pcctl.Main(os.Args, os.Stdout, os.Stderr))
}
