package main

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/service"
)

// variables are those of packetcache.wxs, by name. In wixl.sql they are written
// alike, $(var.Name).
type variables map[string]string

// templates are the platforms of the summary information stream
// (learn.microsoft.com, "Template Summary property").
var templates = map[string]string{"amd64": "x64;1033", "arm64": "Arm64;1033"}

func (p *pkg) variables(digest []byte) (variables, error) {
	template, ok := templates[p.Arch]
	if !ok {
		return nil, fmt.Errorf("architecture %q is neither amd64 nor arm64", p.Arch)
	}
	version, err := productVersion(p.Version)
	if err != nil {
		return nil, err
	}
	percent, ok := config.FieldByKey("ram-percent")
	if !ok {
		return nil, fmt.Errorf("there is no setting ram-percent")
	}
	level, ok := config.FieldByKey("log-level")
	if !ok {
		return nil, fmt.Errorf("there is no setting log-level")
	}
	return variables{
		"Wixl":           "yes",
		"Version":        p.Version,
		"ProductVersion": version,
		// Each build is a product of its own, which replaces any other that is
		// not newer.
		"ProductCode":  code(digest, "product"),
		"PackageCode":  code(digest, "package"),
		"Template":     template,
		"Manufacturer": "The PacketCache authors",
		"DisplayName":  service.DisplayName,
		"Description":  service.Description,
		"Categories":   strconv.Itoa(len(eventlog.Categories())),
		"EventTypes":   strconv.Itoa(int(eventlog.Severities)),
		"MaxPercent":   strconv.FormatFloat(percent.Max, 'g', -1, 64),
		"LogLevels":    strings.Join(level.Enum, ", "),
		"LogLevelCondition": "NOT LOGLEVEL OR LOGLEVEL = \"" +
			strings.Join(level.Enum, "\" OR LOGLEVEL = \"") + "\"",
	}, nil
}

func (v variables) names() []string { return slices.Sorted(maps.Keys(v)) }

// statements are those of a file with one in each line, and comments.
func (v variables) statements(text string) (list []string) {
	var pairs []string
	for name, value := range v {
		pairs = append(pairs, "$(var."+name+")", value)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			list = append(list, line)
		}
	}
	return list
}

var leadingNumbers = regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:[-+].*)?$`)

// productVersion is what Windows Installer compares of a semantic version:
// three numbers, of which the first two go up to 255 and the last to 65535
// (learn.microsoft.com, "ProductVersion property").
func productVersion(version string) (string, error) {
	m := leadingNumbers.FindStringSubmatch(version)
	if m == nil {
		return "", fmt.Errorf("version %q does not begin with three numbers such as 1.2.3", version)
	}
	for i, limit := range []int{255, 255, 65535} {
		if n, err := strconv.Atoi(m[i+1]); err != nil || n > limit {
			return "", fmt.Errorf("version %q: Windows Installer takes at most 255.255.65535", version)
		}
	}
	return strings.Join(m[1:4], "."), nil
}

// newDigest begins a digest with words that no others run into.
func newDigest(words ...string) hash.Hash {
	sum := sha256.New()
	for _, w := range words {
		fmt.Fprintf(sum, "%d %s\n", len(w), w)
	}
	return sum
}

// code is an identifier as Windows writes it, one that follows from a digest
// (RFC 9562, UUIDv8).
func code(digest []byte, what string) string {
	sum := newDigest(what)
	sum.Write(digest)
	b := sum.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("{%X-%X-%X-%X-%X}", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
