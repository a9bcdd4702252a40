package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a client under another account.
func TestMain(m *testing.M) {
	if dir := os.Getenv("IPC_TEST_DIAL"); dir != "" {
		os.Exit(dialAndPrint(dir))
	}
	os.Exit(m.Run())
}

// dialAndPrint says what a client gets.
func dialAndPrint(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := Dial(ctx, Control, dir)
	if err != nil {
		fmt.Println("error:", errors.Is(err, ErrPermission))
		return 0
	}
	_, _ = c.Write([]byte("request"))
	answer, err := io.ReadAll(c)
	fmt.Printf("%s %v\n", answer, err)
	return 0
}

// testDir is a directory that other accounts can reach.
func testDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "run")
}

func TestSocketMode(t *testing.T) {
	for _, test := range []struct {
		group string
		mode  fs.FileMode
		root  bool
	}{
		{"", 0o600, false},
		{fmt.Sprint(os.Getgid()), 0o660, false},
		{"4242", 0o660, true},
	} {
		t.Run("group "+test.group, func(t *testing.T) {
			if test.root && os.Getuid() != 0 {
				t.Skip("needs root to give a socket to a foreign group")
			}
			// A umask that gives too much, and one that takes too much.
			for _, umask := range []int{0, 0o077} {
				old := unix.Umask(umask)
				dir := testDir(t)
				served(t, Control, Config{Dir: dir, Group: test.group})
				unix.Umask(old)
				path := filepath.Join(dir, "control")
				info, err := os.Lstat(path)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != fs.ModeSocket|test.mode {
					t.Errorf("umask %03o: mode %v, want %v", umask, info.Mode(), test.mode)
				}
				if test.group != "" && fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid) != test.group {
					t.Errorf("group %d, want %s", info.Sys().(*syscall.Stat_t).Gid, test.group)
				}
				if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
					t.Errorf("umask %03o: directory has mode %v", umask, info.Mode())
				}
			}
		})
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir})
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// crash leaves what a killed process leaves: the socket and its private
// directory, with nobody behind.
func crash(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, ".c"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"control", ".c/s"} {
		ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, path), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		ln.SetUnlinkOnClose(false)
		_ = ln.Close()
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	dir := testDir(t)
	crash(t, dir)
	if _, err := Dial(t.Context(), Control, dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("dial to a stale socket: %v", err)
	}
	ln := served(t, Control, Config{Dir: dir})
	go func() { _, _ = ln.Accept() }()
	dial(t, Control, dir)
}

func TestOnlyOneOfManyReplacesAStaleSocket(t *testing.T) {
	dir := testDir(t)
	crash(t, dir)
	var wg sync.WaitGroup
	won := make(chan *Listener, 16)
	for range cap(won) {
		wg.Go(func() {
			ln, err := Listen(Control, Config{Dir: dir})
			if err == nil {
				won <- ln
			} else if !errors.Is(err, ErrInUse) {
				t.Errorf("loser got %v, want ErrInUse", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d listeners at one place", len(won))
	}
	ln := <-won
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("winner"))
			_ = c.Close()
		}
	}()
	got, err := io.ReadAll(dial(t, Control, dir))
	if err != nil || string(got) != "winner" {
		t.Errorf("client got %q, %v", got, err)
	}
}

func TestForeignThingsAreNotTouched(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(path string) error
	}{
		{"file", func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) }},
		{"symlink to a file", func(p string) error {
			if err := os.WriteFile(p+".target", []byte("precious"), 0o600); err != nil {
				return err
			}
			return os.Symlink(p+".target", p)
		}},
		{"symlink to nowhere", func(p string) error { return os.Symlink(p+".target", p) }},
		{"directory", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"fifo", func(p string) error { return unix.Mkfifo(p, 0o600) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := testDir(t)
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "control")
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			_, err := Listen(Control, Config{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), "not a socket") {
				t.Fatalf("got %v", err)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("it was replaced: %v", err)
			}
			if got, err := os.ReadFile(path + ".target"); err == nil && string(got) != "precious" {
				t.Errorf("the target was written to: %q", got)
			}
		})
	}
}

func TestLiveForeignSocketIsInUse(t *testing.T) {
	dir := testDir(t)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	foreign, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	_, err = Listen(Control, Config{Dir: dir})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
		t.Errorf("got %v, want ErrInUse with our pid", err)
	}
	if c, err := net.Dial("unix", filepath.Join(dir, "control")); err != nil {
		t.Errorf("the other one was disturbed: %v", err)
	} else {
		_ = c.Close()
	}
}

func TestReplacedSocketSurvivesClose(t *testing.T) {
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir})
	path := filepath.Join(dir, "control")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("what someone else put there is gone: %v", err)
	}
}

func TestUnsafePlaces(t *testing.T) {
	t.Run("directory open to all", func(t *testing.T) {
		dir := testDir(t)
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o777)); err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(Control, Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "writable by everyone") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("private directory open to others", func(t *testing.T) {
		dir := testDir(t)
		if err := os.MkdirAll(filepath.Join(dir, ".c"), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(Control, Config{Dir: dir}); !errors.Is(err, ErrPermission) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("private directory is a symlink", func(t *testing.T) {
		dir := testDir(t)
		elsewhere := t.TempDir()
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(elsewhere, 0o700), os.Symlink(elsewhere, filepath.Join(dir, ".c"))); err != nil {
			t.Fatal(err)
		}
		if ln, err := Listen(Control, Config{Dir: dir}); err == nil {
			t.Errorf("listens at %v through a symlink", ln.Addr())
		}
	})
	t.Run("path too long", func(t *testing.T) {
		_, err := Listen(Control, Config{Dir: "/" + strings.Repeat("x", 120)})
		if err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("longest path", func(t *testing.T) {
		dir := testDir(t)
		dir = filepath.Join(dir, strings.Repeat("x", maxPath-len(dir)-len("//PacketCache")))
		for _, e := range []Endpoint{Dump, Control} {
			served(t, e, Config{Dir: dir})
			dial(t, e, dir)
		}
	})
	t.Run("unknown group", func(t *testing.T) {
		_, err := Listen(Control, Config{Dir: testDir(t), Group: "no-such-group"})
		if err == nil || !strings.Contains(err.Error(), "no-such-group") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPeerIsThisProcess(t *testing.T) {
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir})
	dial(t, Control, dir)
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer, ok := PeerOf(c)
	exe, _ := os.Readlink("/proc/self/exe")
	if !ok || peer.PID != os.Getpid() || peer.UID != os.Getuid() || peer.GID != os.Getgid() || peer.User == "" || peer.Program != exe {
		t.Errorf("peer %+v", peer)
	}
	if s := peer.String(); !strings.Contains(s, fmt.Sprintf("pid %d", os.Getpid())) || !strings.Contains(s, exe) {
		t.Errorf("String() = %q", s)
	}
}

// TestPolicy opens the socket to all, as a wrong chmod would, and lets other
// accounts try.
func TestPolicy(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to take on other accounts")
	}
	const group = 4242
	for _, test := range []struct {
		name string
		cred syscall.Credential
		want string
	}{
		{"root", syscall.Credential{}, "welcome <nil>"},
		{"stranger", syscall.Credential{Uid: 65534, Gid: 65534}, "go away <nil>"},
		{"primary group", syscall.Credential{Uid: 65534, Gid: group}, "welcome <nil>"},
		{"supplementary group", syscall.Credential{Uid: 65534, Gid: 65534, Groups: []uint32{7, group}}, "welcome <nil>"},
		{"other groups", syscall.Credential{Uid: 65534, Gid: 65534, Groups: manyGroups(100)}, "go away <nil>"},
		{"among many groups", syscall.Credential{Uid: 65534, Gid: 65534, Groups: append(manyGroups(100), group)}, "welcome <nil>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := testDir(t)
			refused := make(chan Peer, 1)
			ln := served(t, Control, Config{
				Dir:     dir,
				Group:   fmt.Sprint(group),
				Refusal: []byte("go away"),
				Refused: func(p Peer) { refused <- p },
			})
			go func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 100))
					_, _ = c.Write([]byte("welcome"))
					_ = c.Close()
				}
			}()
			if err := os.Chmod(filepath.Join(dir, "control"), 0o666); err != nil {
				t.Fatal(err)
			}
			if got := runAs(t, &test.cred, dir); got != test.want {
				t.Errorf("client got %q, want %q", got, test.want)
			}
			if strings.HasPrefix(test.want, "go") {
				if p := <-refused; p.UID != int(test.cred.Uid) || p.PID == 0 {
					t.Errorf("refused %+v", p)
				}
			}
		})
	}
}

func TestModeKeepsStrangersOut(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to take on another account")
	}
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir})
	go func() { _, _ = ln.Accept() }()
	if got := runAs(t, &syscall.Credential{Uid: 65534, Gid: 65534}, dir); got != "error: true" {
		t.Errorf("client got %q, want ErrPermission", got)
	}
}

func manyGroups(n int) []uint32 {
	groups := make([]uint32, n)
	for i := range groups {
		groups[i] = uint32(10000 + i)
	}
	return groups
}

// runAs runs this binary as a client under another account.
func runAs(t *testing.T, cred *syscall.Credential, dir string) string {
	t.Helper()
	// The path of the test binary is not open to others, its inode is.
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{"IPC_TEST_DIAL=" + dir}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestRefusalsDoNotBlock has strangers who never read nor write.
func TestRefusalsDoNotBlock(t *testing.T) {
	dir := testDir(t)
	ln := served(t, Control, Config{Dir: dir, Refusal: []byte("go away")})
	ln.t.identify = func(net.Conn) (Peer, bool, error) { return Peer{}, false, nil }
	done := make(chan error)
	go func() { _, err := ln.Accept(); done <- err }()
	for range 4 * maxRefusals {
		dial(t, Control, dir)
	}
	_ = ln.Close()
	select {
	case err := <-done:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Accept is stuck")
	}
}

func TestDialGivesUpOnAFullQueue(t *testing.T) {
	dir := testDir(t)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(dir, "control")}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	dial(t, Control, dir) // the queue takes one
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, Control, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}
