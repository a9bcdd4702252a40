package endtoend

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/seal/sealtest"
	"github.com/packetcache/packetcache/internal/vault"
)

// noise is a flood that nothing compresses.
func noise(args []string) error {
	return datagrams(args, func(data []byte) { rand.Read(data) })
}

// A service starts on a sealed file in which a bit is wrong, at every 1,000th byte:
// it captures, has all of the file that stands in other chunks than that bit, says
// what is wrong, and keeps the file as it is.
func TestFlippedBitsInService(t *testing.T) {
	const atOnce = 3
	w := newWire(t)
	from := shortDir(t)
	args := []string{"--ram-size", "8MiB", "--checkpoint-interval", "0"}
	s := startAt(t, w.a, from, args...)
	w.a.play(t, "noise", net.JoinHostPort(plain4, "9"), "150")
	s.await("the packets", func(st control.Status) bool { return st.Totals.Stored.Packets >= 150 })
	s.stop(syscall.SIGTERM)
	text, layout := sealedAt(t, from)
	if len(text) < 140_000 {
		t.Fatalf("the file has %d bytes", len(text))
	}

	sender := begin(t, w.a.role(t, "stream", net.JoinHostPort(plain4, "9"), "100", "what comes"))
	defer func() { _ = sender.cmd.Process.Kill() }()
	places := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		dir := shortDir(t)
		must(t, "cp", "-a", filepath.Join(from, "data"), filepath.Join(dir, "data"))
		workers.Go(func() {
			for at := range places {
				if err := startsFlipped(w.a.command(program(t, "packetcache"), append(args, "--endpoint-dir", dir, "--data-dir", filepath.Join(dir, "data"))...),
					dir, text, at, layout); err != nil {
					t.Errorf("bit %d of byte %d of %d: %v", at/1000%8, at, len(text), err)
				}
			}
		})
	}
	for at := 0; at < len(text); at += 1000 {
		places <- at
	}
	close(places)
	workers.Wait()
}

// sealedAt is the file that a service has left.
func sealedAt(t *testing.T, dir string) ([]byte, *sealtest.Layout) {
	t.Helper()
	v, err := vault.Open(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	text, err := os.ReadFile(sealedPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	layout, err := sealtest.Of(text, keyOf(t, v, bytes.NewReader(text)).Identity)
	if err != nil {
		t.Fatal(err)
	}
	return text, layout
}

// startsFlipped starts a service, by a command, on a file that is like text but for a
// bit of the byte at a place, and returns what is not as it should be.
func startsFlipped(cmd *exec.Cmd, dir string, text []byte, at int, layout *sealtest.Layout) error {
	text = bytes.Clone(text)
	text[at] ^= 1 << (at / 1000 % 8)
	aside := sealedPath(dir) + ".rejected"
	if err := os.WriteFile(sealedPath(dir), text, 0o600); err != nil {
		return err
	}
	var log strings.Builder
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	defer ended()
	st, err := ready(dir)
	if err != nil {
		return err
	}
	ended()
	var got uint64
	if r := st.Persistence.Restore; r != nil {
		got = r.Packets
	}
	if want := uint64(layout.Flipped(at)); got != want {
		return fmt.Errorf("%d packets came back, want %d\n%s", got, want, log.String())
	}
	if len(st.Persistence.SetAside) != 1 || st.Persistence.Problem != "" || !strings.Contains(strings.Join(st.Warnings, " "), aside) {
		return fmt.Errorf("its status is %+v, the warnings %q", st.Persistence, st.Warnings)
	}
	if said := sealedPath(dir) + " is kept as " + aside; !strings.Contains(log.String(), said) {
		return fmt.Errorf("the log does not say %q:\n%s", said, log.String())
	}
	kept, err := os.ReadFile(aside)
	if err != nil {
		return err
	}
	if !bytes.Equal(kept, text) {
		return errors.New("the file that was set aside is another")
	}
	return os.Remove(aside)
}

// ready waits until a service records what comes, and has read back what can be.
func ready(dir string) (st control.Status, err error) {
	client := control.NewClient(dir)
	defer client.Close()
	deadline := time.Now().Add(patience)
	for ; time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		st, err = client.Status(ctx)
		cancel()
		if err == nil && interfaceOf(st, "wire0").State == control.InterfaceCapturing && st.Totals.Seen.Packets > 0 &&
			st.Persistence.State == control.PersistenceReady {
			return st, nil
		}
	}
	return st, fmt.Errorf("not ready within %v: %+v, %v", patience, st, err) //nolint:errorlint // it may be nil
}
