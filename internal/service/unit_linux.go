package service

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/packetcache/packetcache/installer/linux"
)

// render makes the unit for this machine from the one in installer/linux: the
// path of the binary, the group of the sockets, directories that may be
// written. The rest stays as it is.
func render(o Options, binary string) (string, error) {
	paths := o.WritablePaths
	if o.DataDir != "" {
		paths = append([]string{o.DataDir}, paths...)
	}
	for _, text := range append([]string{binary, o.SocketGroup}, paths...) {
		// systemd ends a line at the first, kardianos/service expands the second.
		if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "{{") {
			return "", fmt.Errorf("%q cannot stand in a systemd unit: it has a control character or {{", text)
		}
	}
	var extra strings.Builder
	if o.SocketGroup != "" {
		extra.WriteString("SupplementaryGroups=" + escapeSpecifiers(o.SocketGroup) + "\n")
	}
	for _, path := range paths {
		// The dash: one that does not exist is no reason not to start.
		extra.WriteString("ReadWritePaths=" + quote("-"+path) + "\n")
	}
	unit := strings.Replace(linux.Unit, "ExecStart=/usr/bin/packetcache\n", "ExecStart="+quote(binary)+"\n"+extra.String(), 1)
	if inHome(append([]string{binary}, paths...)) {
		// A binary that was built and installed in someone's home has to be
		// seen by the service.
		unit = strings.Replace(unit, "ProtectHome=yes\n", "ProtectHome=read-only\n", 1)
	}
	return unit, nil
}

// inHome reports whether a path lies where ProtectHome= hides it
// (systemd.exec(5)).
func inHome(paths []string) bool {
	for _, path := range paths {
		for _, hidden := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(path, hidden) {
				return true
			}
		}
	}
	return false
}

// quote writes one word of a command line or list of paths (systemd.syntax(7),
// "Quoting").
func quote(word string) string {
	word = escapeSpecifiers(word)
	if !strings.ContainsAny(word, ` "'\`) {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}

// escapeSpecifiers keeps percent signs from being expanded (systemd.unit(5),
// "Specifiers").
func escapeSpecifiers(s string) string { return strings.ReplaceAll(s, "%", "%%") }
