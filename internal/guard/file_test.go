package guard

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkOpen opens a file for reading and for writing, and expects an error that
// says want, or none if that is empty.
func checkOpen(t *testing.T, path, want string) {
	t.Helper()
	for _, flag := range []int{os.O_RDONLY, os.O_RDWR} {
		file, err := Open(path, flag)
		if err == nil {
			_ = file.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("opened with flag %d: %v, want %q", flag, err, want)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, err := Open(path, os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened is what is not there: %v", err)
	}
	file, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("text"); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over what is there: %v", err)
	}
	checkOpen(t, path, "")
	file, err = Open(path, os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("s"), 3); err != nil {
		t.Error(err)
	}
	if text, err := io.ReadAll(file); err != nil || string(text) != "texs" {
		t.Errorf("in it is %q, %v", text, err)
	}
}

func TestFileOfTwoNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, path+"-else"); err != nil {
		t.Fatal(err)
	}
	checkOpen(t, path, "names")
}

func TestOpenDirectory(t *testing.T) {
	if file, err := Open(t.TempDir(), os.O_RDONLY); err == nil {
		_ = file.Close()
		t.Error("a directory was opened as a file")
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for path, text := range map[string]string{from: "new", to: "old"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(from, to); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "new" {
		t.Errorf("there is %q, %v", text, err)
	}
	if err := Replace(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("replaced by nothing: %v", err)
	}
	if err := SyncDirectory(dir); err != nil {
		t.Error(err)
	}
}
