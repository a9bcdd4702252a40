// Command messagedll writes PacketCacheEvents.dll, the file in which Event
// Viewer finds the texts of the events. It holds no code, and is none of the
// programs, so that Event Viewer, which keeps it open, is in the way of no
// upgrade of them.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/packetcache/packetcache/eventlog"
)

func main() {
	arch := flag.String("arch", "amd64", "architecture of the DLL: amd64 or arm64")
	version := flag.String("version", "0.0.0", "version that the DLL bears")
	output := flag.String("o", eventlog.DLL, "file to write")
	flag.Parse()
	dll, err := build(*arch, *version)
	if err == nil {
		err = os.WriteFile(*output, dll, 0o644)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "messagedll: %v\n", err)
		os.Exit(1)
	}
}
