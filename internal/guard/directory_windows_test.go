package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// The descriptor is read back from the directory. Wine keeps of it what fits
// into a Unix mode, so there only that nobody else has a right.
func TestMakeDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "above", "data")
	for range 2 { // the second time it is there
		if err := MakeDirectory(path); err != nil {
			t.Fatal(err)
		}
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.GROUP_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if got := sd.String(); got != directorySDDL && !strings.Contains(got, "S-1-5-21-0-0-0-1000") { // Wine's only user
		t.Errorf("the descriptor is %s", got)
	}
	for _, who := range []string{";;;WD)", ";;;BU)", ";;;AU)", ";;;IU)", ";;;CO)"} {
		if strings.Contains(sd.String(), who) {
			t.Errorf("others have rights: %s", sd)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "file"), nil, 0o600); err != nil {
		t.Error(err)
	}
}

func TestMakeDirectoryRefuses(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, path string) error{
		"another's": func(t *testing.T, path string) error {
			err := os.Mkdir(path, 0o755)
			open(t, path)
			return err
		},
		"a file": func(_ *testing.T, path string) error { return os.WriteFile(path, nil, 0o600) },
		"a link": func(t *testing.T, path string) error {
			other := t.TempDir()
			if err := os.Symlink(other, path); err != nil {
				t.Skip(err) // Windows asks for a privilege
			}
			if info, err := os.Lstat(path); err != nil || info.Mode().IsDir() {
				t.Skip("this system shows a link as what it leads to, as Wine does")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data")
			if err := put(t, path); err != nil {
				t.Fatal(err)
			}
			if err := MakeDirectory(path); err == nil || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("%v", err)
			}
			if _, err := os.Lstat(path); err != nil {
				t.Error(err)
			}
		})
	}
}
