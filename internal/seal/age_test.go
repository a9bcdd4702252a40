package seal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"filippo.io/age"
)

// ageCommand runs the age command, which others have written and users have, with
// what comes from in.
func ageCommand(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("age")
	if err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS != "windows" {
			t.Fatal("the age command is needed in CI")
		}
		t.Skip("there is no age command")
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("age %v: %v\n%s", args, err, &stderr)
	}
	return out
}

// The age command opens what we seal, with the key of the machine and that of
// recovery.
func TestAgeCommandOpens(t *testing.T) {
	s := newSample(rand.New(rand.NewPCG(30, 1)), 9, 9, 9)
	k := newKeys(t)
	file := s.seal(t, k)
	want, err := age.Decrypt(bytes.NewReader(file), k.machine)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []*age.X25519Identity{k.machine, k.recovery} {
		key := filepath.Join(t.TempDir(), "key.txt")
		if err := os.WriteFile(key, []byte(id.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ageCommand(t, file, "-d", "-i", key); !bytes.Equal(got, plain) {
			t.Errorf("age reads %d bytes, and they are not the %d that were written", len(got), len(plain))
		}
	}
}

// What the age command encrypts is read as it reads it, whatever its length.
func TestAgeCommandWrites(t *testing.T) {
	k := newKeys(t)
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 3*chunkSize + 7} {
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(i ^ i>>8)
		}
		file := ageCommand(t, want, "-r", k.name())
		if _, err := NewReader(bytes.NewReader(file), k.machine); !errors.Is(err, ErrForeign) {
			t.Errorf("%d bytes: %v", n, err)
		}
		header, err := age.ExtractHeader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		key, err := age.DecryptHeader(header, k.machine)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPayload(bytes.NewReader(file), key, int64(len(header)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(newStream(p)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read %d of them, %v", n, len(got), err)
		}
		if n == 0 {
			continue
		}
		c := chunks{payload: p}
		got := make([]byte, n)
		for _, at := range []int{0, n / 2, n - 1} {
			if m, err := c.ReadAt(got[:n-at], int64(at)); err != nil || !bytes.Equal(got[:m], want[at:]) {
				t.Errorf("%d bytes, from %d on: read %d, %v", n, at, m, err)
			}
		}
		if _, err := c.ReadAt(got[:1], int64(n)); err == nil {
			t.Errorf("there is something behind %d bytes", n)
		}
	}
}
