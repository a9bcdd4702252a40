package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"

	"github.com/packetcache/packetcache/eventlog"
)

// build makes the DLL for an architecture. It is the same for the same
// catalogue and version.
func build(arch, ver string) ([]byte, error) {
	skeleton, err := emptyDLL(arch)
	if err != nil {
		return nil, err
	}
	var resources winres.ResourceSet
	if err := resources.Set(winres.RT_MESSAGETABLE, winres.ID(1), winres.LCIDDefault, messageTable(messages())); err != nil {
		return nil, fmt.Errorf("message table: %w", err)
	}
	info := version.Info{Type: version.DLL}
	info.Flags.Prerelease = strings.Contains(ver, "-")
	numbers, _, _ := strings.Cut(ver, "+") // what was built from which commit has no number
	numbers, _, _ = strings.Cut(numbers, "-")
	info.SetFileVersion(numbers)
	info.SetProductVersion(numbers)
	for key, value := range map[string]string{
		version.ProductName:      "PacketCache",
		version.CompanyName:      "The PacketCache authors",
		version.FileDescription:  "Texts of the events of PacketCache",
		version.OriginalFilename: eventlog.DLL,
		version.FileVersion:      ver,
		version.ProductVersion:   ver,
		version.LegalCopyright:   "Apache License 2.0",
	} {
		if err := info.Set(version.LangDefault, key, value); err != nil {
			return nil, fmt.Errorf("version: %s: %w", key, err)
		}
	}
	resources.SetVersionInfo(info)
	var dll bytes.Buffer
	if err := resources.WriteToEXE(&dll, bytes.NewReader(skeleton), winres.ForceCheckSum()); err != nil {
		return nil, fmt.Errorf("resources: %w", err)
	}
	return dll.Bytes(), nil
}
