package pcctl

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// maxAncestors bounds how far back processes are asked.
const maxAncestors = 32

// inherited are the values that a variable had when the processes above this one
// were started, as far as they may be read (proc_pid_environ(5)).
func inherited(variable string) (values []string) {
	pid := os.Getppid()
	for range maxAncestors {
		if pid <= 1 {
			break
		}
		proc := "/proc/" + strconv.Itoa(pid)
		environ, err := os.ReadFile(proc + "/environ")
		if err != nil {
			break
		}
		for _, entry := range bytes.Split(environ, []byte{0}) {
			if value, found := strings.CutPrefix(string(entry), variable+"="); found {
				values = append(values, value)
			}
		}
		if pid = parent(proc); pid < 0 {
			break
		}
	}
	return values
}

// parent is the PPid line of proc_pid_status(5), or -1.
func parent(proc string) int {
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return -1
	}
	_, after, _ := strings.Cut(string(status), "\nPPid:")
	line, _, _ := strings.Cut(after, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return -1
	}
	return pid
}
