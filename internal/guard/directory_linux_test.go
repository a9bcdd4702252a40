package guard

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// somebody is a user who is neither root nor runs this test.
const somebody = 54321

// chown gives what is there to a user, for which this has to be root.
func chown(t *testing.T, path string, uid int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Lchown(path, uid, uid); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestMakeDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "above", "data")
	for range 2 { // the second time it is there
		if err := MakeDirectory(path); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		t.Errorf("it made %v, %v", info, err)
	}
}

// What may be on the way to the directory, and there already, and what may not:
// at is what the path begins with, below which is "data".
func TestDirectories(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(t *testing.T, at string)
		want string // "" if the directory can be used
	}{
		"nothing":                      {func(*testing.T, string) {}, ""},
		"a file":                       {func(t *testing.T, at string) { write(t, at+"/data") }, "remove it"},
		"a link":                       {func(t *testing.T, at string) { symlink(t, t.TempDir(), at+"/data") }, "remove it"},
		"a link to nothing":            {func(t *testing.T, at string) { symlink(t, "nothing", at+"/data") }, "remove it"},
		"of somebody":                  {func(t *testing.T, at string) { mkdir(t, at+"/data"); chown(t, at+"/data", somebody) }, "belongs to uid 54321"},
		"to be read by others":         {func(t *testing.T, at string) { mkdir(t, at+"/data"); chmod(t, at+"/data", 0o755) }, "chmod 0700"},
		"below somebody's":             {func(t *testing.T, at string) { chown(t, at, somebody) }, "could put something else"},
		"below a group's":              {func(t *testing.T, at string) { chgrp(t, at, somebody); chmod(t, at, 0o775) }, "chmod go-w"},
		"below root's group's":         {func(t *testing.T, at string) { chgrp(t, at, 0); chmod(t, at, 0o775) }, ""},
		"below everybody's":            {func(t *testing.T, at string) { chmod(t, at, 0o777) }, "chmod go-w"},
		"below everybody's with own":   {func(t *testing.T, at string) { chmod(t, at, 0o777|os.ModeSticky) }, ""},
		"below somebody's, further up": {func(t *testing.T, at string) { chown(t, filepath.Dir(at), somebody) }, "could put something else"},
		"over a link": {func(t *testing.T, at string) {
			rename(t, at, at+"-else")
			symlink(t, filepath.Base(at)+"-else", at)
		}, ""},
		"over a link to everything": {func(t *testing.T, at string) {
			rename(t, at, at+"-else")
			symlink(t, at+"-else/../"+filepath.Base(at)+"-else/.", at)
		}, ""},
		"over a link to somebody's": {func(t *testing.T, at string) {
			rename(t, at, at+"-else")
			chown(t, at+"-else", somebody)
			symlink(t, at+"-else", at)
		}, "could put something else"},
		"over a link of somebody": {func(t *testing.T, at string) {
			rename(t, at, at+"-else")
			symlink(t, at+"-else", at)
			chown(t, at, somebody)
		}, "could put something else"},
	} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "above", "at")
			mkdir(t, at)
			test.put(t, at)
			err := MakeDirectory(at + "/data")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// Links that lead in a circle end.
func TestDirectoryOverACircle(t *testing.T) {
	at := filepath.Join(t.TempDir(), "at")
	symlink(t, at, at)
	if err := checkAbove(at + "/data"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Error(err)
	}
}

// Whoever became root by sudo may have the directory at home.
func TestDirectoryOfCaller(t *testing.T) {
	at := filepath.Join(t.TempDir(), "home")
	mkdir(t, at)
	chown(t, at, somebody)
	chmod(t, at, 0o775) // by an umask of 002, the group is his own
	t.Setenv("SUDO_UID", strconv.Itoa(somebody))
	if err := MakeDirectory(at + "/data"); err != nil {
		t.Error(err)
	}
	t.Setenv("SUDO_UID", "54322")
	if err := MakeDirectory(at + "/data"); err == nil {
		t.Error("it was made below another's")
	}
}

func chgrp(t *testing.T, path string, gid int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Chown(path, -1, gid); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
}
