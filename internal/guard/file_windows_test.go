package guard

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// Of what was created nobody else has a right, from the beginning. Wine keeps of
// the descriptor what fits into a Unix mode.
func TestCreateDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	file, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.GROUP_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if got := sd.String(); got != fileSDDL && !strings.Contains(got, "S-1-5-21-0-0-0-1000") { // Wine's only user
		t.Errorf("the descriptor is %s", got)
	}
	for _, who := range []string{";;;WD)", ";;;BU)", ";;;AU)", ";;;IU)", ";;;CO)"} {
		if strings.Contains(sd.String(), who) {
			t.Errorf("others have rights: %s", sd)
		}
	}
}

func TestFileOpenToOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	checkOpen(t, path, "may be changed by others")
}

// While a file is open it can be read by others, and not replaced in the middle of
// it: that is tried again for a second.
func TestReplaceOpen(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	for _, path := range []string{from, to} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scanner, err := os.Open(to) // so that it can't be removed
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- Replace(from, to) }()
	if text, err := os.ReadFile(to); err != nil || string(text) != to {
		t.Errorf("there is %q, %v", text, err)
	}
	if err := scanner.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who reads a file and lets others remove it does not hold up its successor, and
// reads on.
func TestReplaceShared(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	for _, path := range []string{from, to} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	reader := os.NewFile(uintptr(h), to)
	defer reader.Close()
	if moved, err := displace(from, to); !moved {
		t.Skipf("this system cannot, as Wine: %v", err)
	}
	checkMoved(t, from, to)
	if text, err := io.ReadAll(reader); err != nil || string(text) != to {
		t.Errorf("the reader reads %q, %v", text, err)
	}
}

// A file that nobody has open is displaced, too, and so is nothing at all.
func TestDisplace(t *testing.T) {
	for _, there := range []bool{false, true} {
		from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "a name with ü and spaces")
		if err := os.WriteFile(from, []byte(from), 0o600); err != nil {
			t.Fatal(err)
		}
		if there {
			if err := os.WriteFile(to, []byte(to), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if moved, err := displace(from, to); !moved || err != nil {
			t.Fatalf("got %t, %v", moved, err)
		}
		checkMoved(t, from, to)
		if moved, err := displace(from, to); moved || err == nil {
			t.Errorf("what is gone was moved: %v", err)
		}
	}
}

// checkMoved sees that what had the one name, and as its content, has the other.
func checkMoved(t *testing.T, from, to string) {
	t.Helper()
	if text, err := os.ReadFile(to); err != nil || string(text) != from {
		t.Errorf("there is %q, %v", text, err)
	}
	if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}
