package pcctl

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A name that the user has not chosen never costs a file.
func TestFreeNames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web01_260301_0900.pcap")
	want := []string{"web01_260301_0900.pcap", "web01_260301_0900-2.pcap", "web01_260301_0900-3.pcap"}
	for i, name := range want {
		out, err := openOutput(t.Context(), path, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if err := out.commit(); err != nil {
			t.Fatal(err)
		}
		file := out.(*fileOutput)
		if file.path != filepath.Join(dir, name) || file.replaced != nil {
			t.Errorf("dump %d is at %s and replaced %v, want %s", i, file.path, file.replaced, name)
		}
	}
	for i, name := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !slices.Equal(got, []byte{byte(i)}) {
			t.Errorf("%s holds %v, %v", name, got, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(want) {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}
