package vault_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/packetcache/packetcache/internal/vault"
)

// Files and keys can be wiped also where the credential is none that opens keys.
func TestWipeWithoutCredential(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	v := open(t, path)
	save(t, v)
	must(t, v.Close())
	credentials := t.TempDir()
	must(t, os.WriteFile(filepath.Join(credentials, "packetcache.key"), []byte("no key"), 0o600))
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	if v, err := vault.Open(path); err == nil {
		_ = v.Close()
		t.Fatal("the vault opens without a credential")
	}
	if removed, err := vault.Wipe(path); err != nil || len(removed) != 1 || removed[0] != filepath.Join(path, vault.Name) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if left, err := filepath.Glob(filepath.Join(path, "*.key")); err != nil || len(left) > 0 {
		t.Errorf("left are %q, %v", left, err)
	}
}
