package guard

import (
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
