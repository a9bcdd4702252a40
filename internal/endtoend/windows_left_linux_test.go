package endtoend

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A snapshot is all that a Windows remembers, registry and disk, a line for each
// value and file.
type snapshot map[string]bool

// snapshot shuts Windows down and reads it.
func (w *windows) snapshot() snapshot {
	w.t.Helper()
	w.down()
	s := snapshot{}
	for _, name := range []string{"system.reg", "user.reg", "userdef.reg"} {
		text, err := os.ReadFile(filepath.Join(w.dir, "prefix", name))
		if err != nil {
			w.t.Fatal(err)
		}
		var key string
		for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n  ", "")) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "["):
				key, _, _ = strings.Cut(line[1:], "] ")
				s[name+" "+strings.ReplaceAll(key, `\\`, `\`)] = true
			case line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";"):
				line = strings.ReplaceAll(key+" "+line, `\\`, `\`)
				if strings.Contains(line, ` "PATH"=`) {
					line = strings.TrimRight(strings.TrimSuffix(line, `"`), ";")
				}
				s[name+" "+line] = true
			}
		}
	}
	disk := w.path(`C:\`)
	err := filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line := `C:\` + strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(path, disk), "/"), "/", `\`)
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			line += " " + strconv.FormatInt(info.Size(), 10)
		}
		s[line] = true
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// wines are what Wine's installer leaves, whatever is installed: its own keys, now
// without values, an empty entry in PATH, and no key of the log Application, as no
// other program has a source there. DriverDateData is the time at which Wine began.
// The list of programs whose crashes are nobody's concern is Windows' own, and empty.
var wines = []string{
	`C:\windows\Installer`,
	`system.reg Software\Classes\Installer\Features`,
	`system.reg Software\Classes\Installer\Products`,
	`system.reg Software\Classes\Installer\UpgradeCodes`,
	`system.reg Software\Microsoft\Windows\CurrentVersion\Installer\UpgradeCodes`,
	`system.reg Software\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Components`,
	`system.reg Software\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products`,
	`system.reg System\ControlSet001\Services\Eventlog\Application`,
	`system.reg Software\Microsoft\Windows\Windows Error Reporting\ExcludedApplications`,
}

// since lists what has come (+) and what is gone (-) since another snapshot, as
// far as it is not Wine's own doing.
func (s snapshot) since(before snapshot) (lines []string) {
	differ := func(sign string, a, b snapshot) {
		for line := range a {
			if !b[line] && !slices.Contains(wines, line) && !strings.Contains(line, `"DriverDateData"=`) {
				lines = append(lines, sign+" "+line)
			}
		}
	}
	differ("+", s, before)
	differ("-", before, s)
	slices.Sort(lines)
	return lines
}
