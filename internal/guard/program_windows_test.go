package guard

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// open lets everyone change a file or directory, but not what is in there.
func open(t *testing.T, path string) {
	t.Helper()
	sd, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	acl, _, err := sd.DACL()
	if err != nil {
		t.Fatal(err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// The program, its directory and those above are looked at, on files of this
// machine.
func TestProgramWriters(t *testing.T) {
	for i, name := range []string{"nothing", "program", "directory", "one further up"} {
		t.Run(name, func(t *testing.T) {
			above := filepath.Join(t.TempDir(), "above")
			in := filepath.Join(above, "in")
			program := filepath.Join(in, "program.exe")
			changed := []string{"", program, in, above}[i]
			// From above, since Wine hands rights down to what is there.
			for _, path := range []string{above, in, program} {
				var err error
				if path == program {
					err = os.WriteFile(path, nil, 0o755)
				} else {
					err = os.Mkdir(path, 0o755)
				}
				if err != nil {
					t.Fatal(err)
				}
				if path == changed {
					open(t, path)
				}
			}
			writers, err := ProgramWriters(program)
			if err != nil {
				t.Fatal(err)
			}
			found := ""
			for _, w := range writers {
				if w.Own {
					continue // temporary directories are this account's
				}
				found = w.Path
				if everyone, err := windows.CreateWellKnownSid(windows.WinWorldSid); err != nil || w.Account != accountName(everyone) {
					t.Errorf("%v", w)
				}
			}
			if found != changed {
				t.Errorf("everyone may change %q; found was %v", changed, writers)
			}
		})
	}
}

func TestProgramWritersOfNothing(t *testing.T) {
	if _, err := ProgramWriters(filepath.Join(t.TempDir(), "nothing.exe")); err == nil {
		t.Error("nobody may change what is not there")
	}
}
