package keystore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/datadir/faults"
	"github.com/packetcache/packetcache/internal/keystore"
)

// pass has systemd pass a credential.
func pass(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "packetcache.key"), []byte(text), 0o400))
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
}

// identity is what age-keygen prints, of either kind.
func identity(t *testing.T, hybrid bool) string {
	t.Helper()
	if hybrid {
		i, err := age.GenerateHybridIdentity()
		must(t, err)
		return "# public key: " + i.Recipient().String() + "\n" + i.String() + "\n"
	}
	i, err := age.GenerateX25519Identity()
	must(t, err)
	return "# created: 2026-11-01T12:00:00Z\n" + i.String() + "\n"
}

func TestCredential(t *testing.T) {
	for name, hybrid := range map[string]bool{"X25519": false, "hybrid": true} {
		t.Run(name, func(t *testing.T) {
			disk := faults.New()
			before, err := on(t, disk).New()
			must(t, err)
			pass(t, identity(t, hybrid))
			s := on(t, disk)
			k, err := s.New()
			must(t, err)
			found, err := s.Find(k.Name)
			must(t, err)
			opens(t, found, k)
			data, err := datadir.On(disk).Read(k.Name+".key", 1<<16)
			must(t, err)
			if !bytes.HasPrefix(data, []byte("age-encryption.org/v1\n")) || bytes.Contains(data, []byte("AGE-SECRET")) {
				t.Errorf("the file has %q", data)
			}
			// One that was made without is found, too.
			found, err = s.Find(before.Name)
			must(t, err)
			opens(t, found, before)
			for name, change := range map[string]func(){
				"none":    func() { t.Setenv("CREDENTIALS_DIRECTORY", "") },
				"not set": func() { t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir()) },
				"another": func() { pass(t, identity(t, hybrid)) },
			} {
				change()
				_, err := on(t, disk).Find(k.Name)
				if err == nil || errors.Is(err, keystore.ErrNotFound) || !strings.Contains(err.Error(), "packetcache.key") {
					t.Errorf("credential %s: %v", name, err)
				}
			}
		})
	}
}

// A credential that cannot be used is an error, and no reason to do without.
func TestWrongCredentials(t *testing.T) {
	secret := identity(t, false)
	for name, text := range map[string]string{
		"empty":     "",
		"a comment": "# nothing\n",
		"cut":       secret[:len(secret)-10],
		"two":       secret + secret,
		"public":    "age1" + strings.Repeat("q", 58),
		"large":     strings.Repeat("# nothing\n", 10_000) + secret,
		"a plugin":  "AGE-PLUGIN-X-1",
	} {
		pass(t, text)
		_, err := keystore.Open(datadir.On(faults.New()))
		if err == nil || !strings.Contains(err.Error(), "credential packetcache.key") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
}

// The fuzz target of key files, where they are encrypted to a credential.
func FuzzWrappedKeyFile(f *testing.F) {
	dir := f.TempDir()
	i, err := age.GenerateX25519Identity()
	must(f, err)
	must(f, os.WriteFile(filepath.Join(dir, "packetcache.key"), []byte(i.String()), 0o400))
	f.Setenv("CREDENTIALS_DIRECTORY", dir)
	d := datadir.On(faults.New())
	s, err := keystore.Open(d)
	must(f, err)
	k, err := s.New()
	must(f, err)
	whole, err := d.Read(k.Name+".key", 1<<16)
	must(f, err)
	f.Add(0, []byte("x"))
	f.Add(22, []byte("-> X25519 AAAA\n"))
	f.Add(200, []byte{})
	f.Fuzz(func(t *testing.T, at int, insert []byte) {
		// What is put into a whole one, so that there is more to it than the first line.
		at = min(max(at, 0), len(whole))
		must(t, d.Write(k.Name+".key", append(append(bytes.Clone(whole[:at]), insert...), whole[at:]...)))
		if _, err := s.Find(k.Name); err == nil && len(insert) > 0 {
			t.Errorf("a file that was changed was taken: %q at %d", insert, at)
		}
	})
}
