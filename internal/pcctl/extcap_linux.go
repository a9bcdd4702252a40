package pcctl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const extcapScriptName = "packetcache"

// extcapScript runs a program as an extcap. It becomes that program, so that what
// Wireshark does to it reaches that.
func extcapScript(program, endpointDir string) string {
	text := "#!/bin/sh\n# " + extcapMark + ".\n"
	if endpointDir != "" {
		text += envEndpointDir + "=" + shellWord(endpointDir) + "\nexport " + envEndpointDir + "\n"
	}
	return text + "exec " + shellWord(program) + " extcap \"$@\"\n"
}

// tsharks are the places where tshark may be.
func tsharks() []string {
	if path, err := exec.LookPath("tshark"); err == nil {
		return []string{path}
	}
	return nil
}

// knownFolders are where distributions have it.
func knownFolders() (folders []extcapFolder) {
	for _, pattern := range []string{"/usr/lib/*/wireshark/extcap", "/usr/lib64/wireshark/extcap", "/usr/lib/wireshark/extcap", "/usr/local/lib/wireshark/extcap"} {
		found, _ := filepath.Glob(pattern) // of a good pattern
		for _, path := range found {
			folders = append(folders, extcapFolder{path: path})
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, extcapFolder{filepath.Join(home, ".local/lib/wireshark/extcap"), true})
	}
	return folders
}

// whileParentRuns needs nothing: Wireshark ends the process itself.
func whileParentRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

func isBrokenPipe(err error) bool { return errors.Is(err, unix.EPIPE) }
