package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTotalRAM(t *testing.T) {
	total, err := TotalRAM()
	if err != nil || total < 64<<20 || total > 1<<50 {
		t.Errorf("TotalRAM() = %d, %v", total, err)
	}
}

func TestCgroupLimit(t *testing.T) {
	const none = ^uint64(0)
	for _, test := range []struct {
		name  string
		own   string
		files map[string]string
		want  uint64
	}{
		{"no groups", "", nil, none},
		{"version 2", "0::/a/b\n", map[string]string{"a/b/memory.max": "100\n"}, 100},
		{"a group above is tighter", "0::/a/b\n", map[string]string{"a/b/memory.max": "100\n", "a/memory.max": "50\n"}, 50},
		{"no limit", "0::/a\n", map[string]string{"a/memory.max": "max\n"}, none},
		{"a path of the host", "0::/docker/x\n", map[string]string{"memory.max": "70\n"}, 70},
		{"version 1", "5:cpu:/a\n4:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "30\n", "cpu/a/memory.limit_in_bytes": "1\n"}, 30},
		{"rubbish", "x\n0:\n::::\n", map[string]string{"memory.max": "-3"}, none},
		{"upwards", "0::/../../a\n", map[string]string{"a/memory.max": "20"}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range test.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := cgroupLimit(test.own, root); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
