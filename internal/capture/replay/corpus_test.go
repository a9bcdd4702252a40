package replay

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// TestCorpus replays every file of the corpus: all packets that the manifest
// promises come, and only files that are damaged as files end in an error.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PACKETCACHE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	for folder, bad := range map[string]int{"dev": 0, "malformed-dev": 12} {
		t.Run(folder, func(t *testing.T) {
			list, err := os.ReadFile(filepath.Join(root, folder, "MANIFEST.tsv"))
			if err != nil && os.Getenv("CI") == "true" {
				t.Fatalf("the corpus is needed in CI: %v", err)
			} else if err != nil {
				t.Skipf("no corpus (set PACKETCACHE_CORPUS): %v", err)
			}
			for line := range strings.Lines(string(list)) {
				cells := strings.Split(line, "\t")
				if cells[0] == "file" {
					continue
				}
				want, _ := strconv.Atoi(cells[5])
				n, err := count(t, filepath.Join(root, folder, cells[0]))
				var format *pcapio.FormatError
				switch {
				case errors.As(err, &format):
					bad--
				case err != nil:
					t.Error(err)
				}
				if n != want {
					t.Errorf("%s: %d packets, want %d; %v", cells[0], n, want, err)
				}
			}
			if bad != 0 {
				t.Errorf("%d files more than expected are sound", bad)
			}
		})
	}
}

// count opens and replays a file and returns how many packets came.
func count(t *testing.T, path string) (int, error) {
	s, err := Open(path)
	if err != nil {
		return 0, err
	}
	sink := capturetest.NewSink()
	err = s.Run(t.Context(), sink)
	for _, complaint := range sink.Complaints() {
		t.Errorf("%s: %s", path, complaint)
	}
	return len(sink.Got()), err
}
