package pcctl

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// An extcapFolder is where Wireshark looks for programs.
type extcapFolder struct {
	path string
	user bool // of this user alone
}

// extcapFolders are those of the installed Wireshark, of all users first. Where
// they are has changed with its versions (4.2 brought one for each user on Linux,
// 4.4 moved that of all users on Windows), so tshark is asked; without it those
// that are there are taken.
func extcapFolders(ctx context.Context) []extcapFolder {
	for _, tshark := range tsharks() {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		out, err := exec.CommandContext(ctx, tshark, "-G", "folders").Output()
		cancel()
		if err != nil {
			continue
		}
		if found := parseFolders(out); len(found) > 0 {
			return found
		}
	}
	var found []extcapFolder
	for _, f := range knownFolders() {
		if info, err := os.Stat(f.path); err == nil && info.IsDir() {
			found = append(found, f)
		}
	}
	return found
}

// parseFolders reads what "tshark -G folders" prints: "Extcap path", or "Global
// Extcap path" and "Personal Extcap path", each with a tab and the folder.
func parseFolders(out []byte) (folders []extcapFolder) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		name, path, _ := strings.Cut(lines.Text(), ":")
		path = strings.TrimSpace(path)
		if !strings.HasSuffix(strings.ToLower(name), "extcap path") || path == "" {
			continue
		}
		folders = append(folders, extcapFolder{path, strings.HasPrefix(name, "Personal")})
	}
	slices.SortStableFunc(folders, func(a, b extcapFolder) int {
		switch {
		case a.user == b.user:
			return 0
		case b.user:
			return -1
		}
		return 1
	})
	return folders
}
