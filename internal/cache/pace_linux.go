package cache

import (
	"os"
	"strconv"
	"strings"
)

// processorTime is how long this machine's processors have been idle and how
// long there have been any, in one unit; 0 if that is not known (proc_stat(5):
// user, nice, system, idle, iowait, irq, softirq, steal).
func processorTime() (idle, total uint64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		if i < 1 || i > 8 { // guests are in user and nice
			continue
		}
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return 0, 0
		}
		total += n
		if i == 4 || i == 5 {
			idle += n
		}
	}
	return idle, total
}
