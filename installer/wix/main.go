// Command wix builds the Windows Installer package (MSI) from packetcache.wxs and
// the programs that "make build" has left, by wixl and msibuild of msitools. The
// same files and version give the same package, to the byte.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	p := pkg{Source: "."}
	flag.StringVar(&p.Arch, "arch", "amd64", "architecture of the programs: amd64 or arm64")
	flag.StringVar(&p.Version, "version", "0.0.0", "version that the package bears")
	flag.StringVar(&p.Programs, "programs", "bin/windows-amd64", "directory of the programs")
	output := flag.String("o", "packetcache.msi", "file to write")
	flag.Parse()
	p.Time = sourceTime()
	if err := p.build(context.Background(), *output); err != nil {
		fmt.Fprintf(os.Stderr, "wix: %s: %v\n", *output, err)
		os.Exit(1)
	}
}

// sourceTime is the date that everything in the package bears: that of the
// source, if the environment tells it (https://reproducible-builds.org,
// "SOURCE_DATE_EPOCH").
func sourceTime() time.Time {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		seconds = 1767225600 // 2026-01-01
	}
	return time.Unix(seconds, 0).UTC()
}
