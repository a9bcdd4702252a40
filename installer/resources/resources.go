package main

import (
	"bytes"
	_ "embed" // for the manifest
	"fmt"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

// manifest is the same for both programs (learn.microsoft.com, "Application
// manifests"): neither asks for more rights than it is started with.
//
//go:embed packetcache.manifest
var manifest []byte

// descriptions are what Task Manager and the UAC prompt call the programs.
var descriptions = map[string]string{
	"packetcache": "PacketCache service",
	"pcctl":       "PacketCache control",
}

// object makes an object file for the linker, the same each time.
func object(program, arch, ver string) ([]byte, error) {
	resources, err := resourcesOf(program, ver)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := resources.WriteObject(&b, winres.Arch(arch)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func resourcesOf(program, ver string) (*winres.ResourceSet, error) {
	description, ok := descriptions[program]
	if !ok {
		return nil, fmt.Errorf("%q is none of the programs", program)
	}
	resources := &winres.ResourceSet{}
	icon, err := icon()
	if err != nil {
		return nil, err
	}
	if err := resources.SetIconTranslation(winres.ID(1), version.LangDefault, icon); err != nil {
		return nil, err
	}
	if err := resources.Set(winres.RT_MANIFEST, winres.ID(1), version.LangDefault, manifest); err != nil {
		return nil, err
	}
	info := version.Info{Type: version.App}
	info.Flags.Prerelease = strings.Contains(ver, "-")
	info.SetFileVersion(numbers(ver))
	info.SetProductVersion(numbers(ver))
	for key, value := range map[string]string{
		version.ProductName:      "PacketCache",
		version.CompanyName:      "The PacketCache authors",
		version.FileDescription:  description,
		version.InternalName:     program,
		version.OriginalFilename: program + ".exe",
		version.FileVersion:      ver,
		version.ProductVersion:   ver,
		version.LegalCopyright:   "Apache License 2.0",
	} {
		if err := info.Set(version.LangDefault, key, value); err != nil {
			return nil, fmt.Errorf("version: %s: %w", key, err)
		}
	}
	resources.SetVersionInfo(info)
	return resources, nil
}

// numbers are those of a version, without what follows a - or +.
func numbers(ver string) string {
	if i := strings.IndexAny(ver, "-+"); i >= 0 {
		return ver[:i]
	}
	return ver
}
