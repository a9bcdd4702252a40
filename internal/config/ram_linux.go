package config

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// TotalRAM is the memory of this machine in bytes: that of sysinfo(2), or the
// memory limit of the control group that this process runs in, or of a group
// above it, if that is less (memory.max, cgroups(7); memory.limit_in_bytes in
// version 1). So a percentage in a container is one of what the container has.
func TotalRAM() (uint64, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("sysinfo: size of the memory: %w", err)
	}
	total := uint64(info.Totalram) * uint64(info.Unit) //nolint:unconvert // 32 bits on some platforms
	// Without control groups the file is absent, and names none.
	own, _ := os.ReadFile("/proc/self/cgroup")
	return min(total, cgroupLimit(string(own), "/sys/fs/cgroup")), nil
}

// cgroupLimit is the least memory limit in bytes of the groups named in own,
// the text of /proc/self/cgroup, and of those above them; the greatest uint64
// if there is none. Root is where the control group filesystems are mounted.
// In a container the paths may be those of the host and not be found; then the
// mount point itself is the container's group.
func cgroupLimit(own, root string) uint64 {
	limit := ^uint64(0)
	for line := range strings.Lines(own) {
		// hierarchy-ID:controller-list:cgroup-path
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mount, file := root, "memory.max"
		if parts[1] != "" {
			if parts[1] != "memory" {
				continue
			}
			mount, file = path.Join(root, "memory"), "memory.limit_in_bytes"
		}
		for group := path.Join("/", parts[2]); ; group = path.Dir(group) {
			text, err := os.ReadFile(path.Join(mount, group, file))
			// "max" is no number and no limit.
			if n, bad := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil {
				limit = min(limit, n)
			}
			if group == "/" {
				break
			}
		}
	}
	return limit
}
