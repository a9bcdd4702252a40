package pcctl

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/control"
)

// command is pcctl as a process of its own; see TestMain.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{"pcctl"}, args...)
	return cmd
}

func TestSignalsLeaveNoFile(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			if signal.Ignored(sig) {
				t.Skip("the tests run under something like nohup, and so would pcctl")
			}
			fake := &fakeService{}
			dir := start(t, fake)
			out := t.TempDir()
			cmd := command(t.Context(), "dump", "--filter", "stall", "-w", filepath.Join(out, "x.pcap"), "--endpoint-dir", dir)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := eventually("the dump runs", func() bool { return fake.stalled.Load() == 1 }); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
				t.Errorf("ended with %v: %s", err, stderr.String())
			}
			if left, _ := os.ReadDir(out); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestSecondSignalEndsAStuckCommand(t *testing.T) {
	dir := start(t, &fakeService{})
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opening a FIFO waits for a reader, and nothing can be done about that.
	cmd := command(t.Context(), "dump", "-w", fifo, "--endpoint-dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	// The first may come before the command waits for signals at all.
	var ended error
	if err := eventually("it ends", func() bool {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case ended = <-done:
			return true
		default:
			return false
		}
	}); err != nil {
		t.Fatal(err)
	}
	if ended == nil {
		t.Error("ended without a complaint")
	}
}

func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	disk := t.TempDir()
	if err := unix.Mount("pcctl-test", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	dir := start(t, &fakeService{})
	old := filepath.Join(disk, "x.pcap")
	if err := os.WriteFile(old, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"pcctl", "dump", "--filter", "much", "-w", old, "--endpoint-dir", dir}, &stdout, &stderr)
	if code != exitFailed || !strings.Contains(stderr.String(), "the disk is full: write "+old+":") || !strings.Contains(stderr.String(), "Hint: ") {
		t.Errorf("code %d, %s", code, stderr.String())
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "precious" {
		t.Errorf("the older file holds %q, %v", text, err)
	}
	if left, _ := os.ReadDir(disk); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

func TestOtherAccountIsNotPermitted(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to take on another account")
	}
	dir := start(t, &fakeService{})
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t.Context(), "status", "--endpoint-dir", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitNotPermitted || !strings.Contains(string(out), "sudo") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestFileBelongsToWhoCalledSudo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to give files away")
	}
	t.Setenv("SUDO_UID", "65534")
	t.Setenv("SUDO_GID", "65533")
	dir := start(t, &fakeService{})
	path := filepath.Join(t.TempDir(), "x.pcap")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"pcctl", "dump", "-w", path, "--endpoint-dir", dir}, &stdout, &stderr); code != exitOK {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 65534 || st.Gid != 65533 || info.Mode().Perm() != 0o600 {
		t.Errorf("owner %d:%d, mode %v", st.Uid, st.Gid, info.Mode())
	}
}

func TestProgressSurvivesAWrongEstimate(t *testing.T) {
	s := newScreen(t, 60, 24)
	for _, estimate := range []int64{0, 10, 1 << 40} {
		p := newProgress(s.tty, "reading")
		p.begun = p.begun.Add(-barDelay)
		for done := int64(0); done < 100; done += 7 {
			p.set(done, estimate)
		}
		p.finish()
	}
	early := control.DumpResult{Restoring: true}
	if lines := strings.Join((&summary{DumpResult: early, target: "-"}).lines(), "\n"); !strings.Contains(lines, "there is more now") || strings.Contains(lines, "empty") {
		t.Errorf("of a dump that came too early it says\n%s", lines)
	}
	var none control.DumpResult
	if lines := (&summary{DumpResult: none, target: "-"}).lines(); !strings.Contains(strings.Join(lines, "\n"), "The cache is empty") {
		t.Errorf("an empty cache is told as %q", lines)
	}
}
