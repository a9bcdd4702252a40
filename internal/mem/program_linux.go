package mem

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DropProgram gives back what of the program's own file lies in memory, code
// and constants, nearly half of which only the start needed. What is needed
// again is mapped again, mostly without reading the file. It is a hint: where
// it fails, nothing is lost.
func DropProgram() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps") // proc_pid_maps(5)
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		var mode string
		line := lines.Text()
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			return
		}
		// What may be written holds variables, and would be what the file says.
		if strings.HasSuffix(line, " "+exe) && mode[1] == '-' {
			part := unsafe.Slice(*(**byte)(unsafe.Pointer(&from)), to-from)
			_ = unix.Madvise(part, unix.MADV_DONTNEED)
		}
	}
}
