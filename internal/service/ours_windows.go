package service

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// splitCommandLine cuts the command line of a service into its program and the
// rest. Without quotes the program ends at the first blank before which there
// is a file, as it does for Windows (learn.microsoft.com, "CreateProcessW
// function").
func splitCommandLine(line string) (program, rest string) {
	line = strings.TrimLeft(line, " \t")
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		program, rest, _ = strings.Cut(quoted, `"`)
		return program, rest
	}
	for i, r := range line + " " {
		if r != ' ' && r != '\t' {
			continue
		}
		for _, name := range []string{line[:i], line[:i] + ".exe"} {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				return name, line[i:]
			}
		}
	}
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], line[i:]
	}
	return line, ""
}

// checkOurs makes sure that a program is PacketCache, by the name of the module
// that Go has put into it: Netresec's service bears the same name. Where there
// is no file, there is nothing to guard.
func checkOurs(program string) error {
	self, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this program was built without the name of its module, so it cannot tell whose service that is")
	}
	other, err := buildinfo.ReadFile(program)
	if err == nil && other.Main.Path == self.Main.Path || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%w: it runs %s", ErrForeign, filepath.Clean(program))
}
