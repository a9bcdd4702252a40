package endtoend

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// What a service has sealed is what its dump was, to whoever has the recovery key,
// and on its own machine to who may ask the service; the key of an older copy is
// gone there.
func TestDecrypt(t *testing.T) {
	w := newWire(t)
	dir, files := shortDir(t), t.TempDir()
	key, older := filepath.Join(files, "recovery.key"), filepath.Join(files, "older.sealed")
	must(t, need(t, "age-keygen"), "-o", key)
	public := strings.TrimSpace(must(t, "age-keygen", "-y", key))
	args := []string{"--ram-size", "64MiB", "--recovery-recipient", public}
	pcctl := program(t, "pcctl")
	mark := func(s *service, text string) string {
		text += " " + dir
		w.a.play(t, "send", net.JoinHostPort(plain4, "9"), text)
		eventually(t, "the packet in the dump", func() bool { return holds(t, s.dump(), text) })
		return text
	}
	startRole(t, w.b, "server")

	s := startAt(t, w.a, dir, args...)
	from := mark(s, "first")
	w.a.play(t, "client", plain4)
	to := mark(s, "second")
	want := between(t, "dump", sound(t, s.dump("--format", "pcapng")), from, to)
	s.stop(syscall.SIGTERM)

	// Elsewhere, with the recovery key and no service.
	sealed, out := sealedPath(dir), filepath.Join(files, "out.pcapng")
	if stdout := must(t, pcctl, "verify", sealed, "-i", key); !strings.HasPrefix(stdout, sealed+": good\n") || !strings.Contains(stdout, "when the service stopped") {
		t.Errorf("pcctl verify says\n%s", stdout)
	}
	must(t, pcctl, "decrypt", sealed, "-i", key, "-w", out)
	same(t, "decrypted", between(t, "decrypted", sound(t, out), from, to), want, time.Nanosecond)
	if plain := must(t, need(t, "age"), "-d", "-i", key, sealed); !strings.HasPrefix(plain, "PacketCache\n") || !strings.Contains(plain, `"final":true`) {
		t.Errorf("age decrypts it to %.60q", plain)
	}
	content, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(older, content, 0o600); err != nil {
		t.Fatal(err)
	}

	// On this machine, where the next run of the service still has the key, until a
	// newer file is safe.
	s = startAt(t, w.a, dir, args...)
	if stdout, stderr, code := s.pcctl("decrypt", older, "-w", out); code != 0 {
		t.Errorf("by the service: exit code %d\n%s%s", code, stdout, stderr)
	}
	same(t, "by the service", between(t, "decrypted", sound(t, out), from, to), want, time.Nanosecond)
	s.awaitLog("The key of a sealed file was given to root (uid 0)")
	s.stop(syscall.SIGTERM)
	s = startAt(t, w.a, dir, args...)
	s.await("the restore", func(st control.Status) bool { return st.Persistence.State == control.PersistenceReady })
	if _, stderr, code := s.pcctl("decrypt", older, "-w", out); code != 1 || !strings.Contains(stderr, "cannot open "+older) || !strings.Contains(stderr, "-i KEYFILE") {
		t.Errorf("an older copy: exit code %d\n%s", code, stderr)
	}
	must(t, pcctl, "decrypt", older, "-i", key, "-w", out)
	if stdout, stderr, code := s.pcctl("verify", sealed); code != 0 || !strings.Contains(stdout, ": good\n") {
		t.Errorf("its own file: exit code %d\n%s%s", code, stdout, stderr)
	}
}
