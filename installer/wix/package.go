package main

import (
	"bytes"
	"context"
	_ "embed" // for the source
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Names of what is staged beside the files of the package.
const (
	source = "packetcache.wxs"
	idt    = "Environment.idt"
)

//go:embed packetcache.wxs
var wxs []byte

//go:embed wixl.sql
var sql string

// environment is a table that wixl 0.101 does not know: an entry of the PATH of
// the machine (*), which is set (=) and goes with its component (-).
//
//go:embed Environment.idt
var environment []byte

// A pkg is a package to be built.
type pkg struct {
	Arch    string // amd64 or arm64
	Version string // a semantic version
	// Programs is the directory of the programs, Source that of the project.
	Programs, Source string
	// Time is the date that the package and all files in it bear.
	Time time.Time
}

// A content is a file of the package, under the name that packetcache.wxs knows it
// by.
type content struct {
	name string
	from string
	// versioned means that it is a program or a DLL, which bears the version.
	versioned bool
}

// contents are the files of the package.
func (p *pkg) contents() []content {
	program := func(name string) content { return content{name, filepath.Join(p.Programs, name), true} }
	other := func(name, from string) content {
		return content{name, filepath.Join(p.Source, filepath.FromSlash(from)), false}
	}
	return []content{
		program("packetcache.exe"),
		program("pcctl.exe"),
		program("PacketCacheEvents.dll"),
		other("PacketCache.xml", "eventlog/PacketCache.xml"),
		other("LICENSE.txt", "LICENSE"),
		{"THIRD-PARTY.txt", filepath.Join(p.Programs, "THIRD-PARTY.txt"), false},
		other("ReadPacketCache.ps1", "scripts/ReadPacketCache.ps1"),
		other("ReadRemotePacketCache.ps1", "scripts/ReadRemotePacketCache.ps1"),
		other("PacketCache.admx", "installer/admx/PacketCache.admx"),
		other("PacketCache.en_US.adml", "installer/admx/en-US/PacketCache.adml"),
		other("PacketCache.de_DE.adml", "installer/admx/de-DE/PacketCache.adml"),
	}
}

// build writes the package.
func (p *pkg) build(ctx context.Context, output string) (err error) {
	stage, err := os.MkdirTemp(filepath.Dir(output), ".msi-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	digest, err := p.stage(stage)
	if err != nil {
		return err
	}
	v, err := p.variables(digest)
	if err != nil {
		return err
	}
	const msi = "packetcache.msi"
	if err := v.wixl(ctx, stage, msi); err != nil {
		return err
	}
	args := append([]string{msi, "-i", idt, "-q"}, v.statements(sql)...)
	for _, c := range p.contents() {
		if c.versioned {
			args = append(args,
				fmt.Sprintf("UPDATE `File` SET `Version` = '%s.0', `Language` = '1033' WHERE `File` = '%s'", v["ProductVersion"], c.name),
				fmt.Sprintf("DELETE FROM `MsiFileHash` WHERE `File_` = '%s'", c.name))
		}
	}
	args = append(args, "-s", "PacketCache "+p.Version, v["Manufacturer"], v["Template"], v["PackageCode"])
	if err := silently(ctx, stage, "msibuild", args...); err != nil {
		return err
	}
	if err := setTimes(filepath.Join(stage, msi), p.Time); err != nil {
		return err
	}
	return os.Rename(filepath.Join(stage, msi), output)
}

// wixl builds what wixl can build of the package.
func (v variables) wixl(ctx context.Context, dir, msi string) error {
	// An architecture that wixl knows; the package's own is in its summary.
	args := []string{"-a", "x64", "-o", msi}
	for _, name := range v.names() {
		args = append(args, "-D", name+"="+v[name])
	}
	return silently(ctx, dir, "wixl", append(args, source)...)
}

// stage puts all that wixl reads into a directory, since it wants relative
// paths, and returns a digest of it.
func (p *pkg) stage(dir string) ([]byte, error) {
	sum := newDigest("PacketCache", p.Arch, p.Version, string(wxs), sql, string(environment))
	files := append(p.contents(), content{"packetcache.ico", filepath.Join(p.Source, "installer", "wix", "packetcache.ico"), false})
	for _, c := range files {
		if err := copyFile(filepath.Join(dir, c.name), c.from, p.Time, sum); err != nil {
			return nil, err
		}
	}
	return sum.Sum(nil), errors.Join(os.WriteFile(filepath.Join(dir, source), wxs, 0o644), os.WriteFile(filepath.Join(dir, idt), environment, 0o644))
}

func copyFile(to, from string, modified time.Time, also io.Writer) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if _, err := also.Write(b); err != nil {
		return err
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		return err
	}
	return os.Chtimes(to, modified, modified)
}

// silently runs a program of msitools. They go on after what they do not
// understand, and say so: any word is an error.
func silently(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	text := strings.TrimSpace(said.String())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: scripts/test-deps.sh installs it, or on Debian and Ubuntu: apt install wixl msitools", err)
	case err != nil:
		return fmt.Errorf("%s: %w\n%s", name, err, text)
	case text != "":
		return fmt.Errorf("%s said something, which it does of what it leaves out:\n%s", name, text)
	}
	return nil
}
