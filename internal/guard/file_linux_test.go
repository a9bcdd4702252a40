package guard

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFilesOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(t *testing.T, path string)
		want string
	}{
		"somebody's":         {func(t *testing.T, path string) { write(t, path); chown(t, path, somebody) }, "belongs to uid 54321"},
		"a group's":          {func(t *testing.T, path string) { write(t, path); chmod(t, path, 0o660) }, "others may write"},
		"everybody's":        {func(t *testing.T, path string) { write(t, path); chmod(t, path, 0o602) }, "others may write"},
		"for all to read":    {func(t *testing.T, path string) { write(t, path); chmod(t, path, 0o644) }, ""},
		"a pipe":             {fifo, "no regular file"},
		"a link":             {func(t *testing.T, path string) { write(t, path+"-else"); symlink(t, path+"-else", path) }, "is a link"},
		"a link to a device": {func(t *testing.T, path string) { symlink(t, "/dev/zero", path) }, "is a link"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir() + "/file"
			test.put(t, path)
			checkOpen(t, path, test.want)
		})
	}
}

func fifo(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCreateMode(t *testing.T) {
	file, err := Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Mode() != os.FileMode(0o600) {
		t.Errorf("the file is %v, %v", info, err)
	}
}
