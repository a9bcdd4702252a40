// Command resources writes what Windows shows of the programs, and what they
// tell Windows: version, icon and manifest. It puts an object file into the
// directory of each command that it is given, from where the go command links
// it; git ignores the files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . -icon ../wix/packetcache.ico

func main() {
	arch := flag.String("arch", "amd64", "architecture of the programs: amd64 or arm64")
	version := flag.String("version", "0.0.0", "version that they bear")
	ico := flag.String("icon", "", "only write the icon, to this file")
	flag.Parse()
	var err error
	if *ico != "" {
		err = writeIcon(*ico)
	} else {
		err = writeAll(*arch, *version, flag.Args())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "resources: %v\n", err)
		os.Exit(1)
	}
}

// writeAll writes the resources of the commands in these directories.
func writeAll(arch, version string, commands []string) error {
	for _, dir := range commands {
		object, err := object(filepath.Base(dir), arch, version)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "resources_windows_"+arch+".syso"), object, 0o644); err != nil {
			return err
		}
	}
	return nil
}
