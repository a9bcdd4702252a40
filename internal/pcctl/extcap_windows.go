package pcctl

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

const extcapScriptName = "packetcache.bat"

// extcapScript runs a program as an extcap.
func extcapScript(program, endpointDir string) string {
	text := "@rem " + extcapMark + ".\r\n@setlocal\r\n"
	if endpointDir != "" {
		text += `@set "` + envEndpointDir + "=" + batchText(endpointDir) + "\"\r\n"
	}
	return text + `@"` + batchText(program) + "\" extcap %*\r\n"
}

// batchText is text that cmd.exe takes as it is, between quotes. Names of files
// have no quotes.
func batchText(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// tsharks are the places where tshark may be.
func tsharks() (found []string) {
	for _, dir := range wiresharkDirs() {
		path := filepath.Join(dir, "tshark.exe")
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	return found
}

// wiresharkDirs are where it is usually installed: not on PATH.
func wiresharkDirs() (dirs []string) {
	for _, variable := range []string{"ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"} {
		if base := os.Getenv(variable); base != "" {
			dirs = append(dirs, filepath.Join(base, "Wireshark"))
		}
	}
	return dirs
}

// knownFolders are those of version 4.4 and later, and those of before.
func knownFolders() (folders []extcapFolder) {
	for _, dir := range wiresharkDirs() {
		folders = append(folders, extcapFolder{path: filepath.Join(dir, "extcap", "wireshark")}, extcapFolder{path: filepath.Join(dir, "extcap")})
	}
	if roaming := os.Getenv("APPDATA"); roaming != "" {
		folders = append(folders, extcapFolder{filepath.Join(roaming, "Wireshark", "extcap"), true})
	}
	return folders
}

// whileParentRuns ends with the process that started this one: Wireshark ends the
// command interpreter which runs the script, and that alone.
func whileParentRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getppid()))
	if err != nil {
		return ctx, cancel
	}
	go func() {
		// The handle goes with this process.
		if event, err := windows.WaitForSingleObject(parent, windows.INFINITE); err == nil && event == windows.WAIT_OBJECT_0 {
			cancel()
		}
	}()
	return ctx, cancel
}

func isBrokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}
