package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
)

const (
	// credentialName is that of the credential of the service which systemd may
	// pass, from a file sealed by the machine's TPM for instance: an age identity.
	credentialName = "packetcache.key"
	// maxCredential is the most of it that is read, in bytes.
	maxCredential = 64 << 10
	// ageMagic begins an age file.
	ageMagic = "age-encryption.org/"
)

// A credential encrypts secrets to the identity that systemd passes, if there is
// one. It is read when it is needed, so that it is in memory no longer than that.
type credential struct {
	path string // "" if systemd passes none
}

func newWrapping() (wrapping, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY") // systemd.exec(5)
	if dir == "" {
		return credential{}, nil
	}
	c := credential{path: filepath.Join(dir, credentialName)}
	_, _, err := c.read()
	if errors.Is(err, fs.ErrNotExist) {
		return credential{}, nil
	}
	return c, err
}

// read reads the identity, and what to encrypt to.
func (c credential) read() (age.Identity, age.Recipient, error) {
	file, err := os.Open(c.path)
	if err != nil {
		return nil, nil, fmt.Errorf("credential %s: %w", credentialName, err)
	}
	defer file.Close()
	identities, err := age.ParseIdentities(io.LimitReader(file, maxCredential))
	if err != nil || len(identities) != 1 {
		return nil, nil, fmt.Errorf("credential %s has to be one age identity, as age-keygen makes it", credentialName)
	}
	switch identity := identities[0].(type) {
	case *age.X25519Identity:
		return identity, identity.Recipient(), nil
	case *age.HybridIdentity:
		return identity, identity.Recipient(), nil
	}
	return nil, nil, fmt.Errorf("credential %s is an age identity of a kind that is not known", credentialName)
}

func (c credential) wrap(_ string, secret []byte) ([]byte, error) {
	if c.path == "" {
		return bytes.Clone(secret), nil
	}
	_, recipient, err := c.read()
	if err != nil {
		return nil, err
	}
	var wrapped bytes.Buffer
	w, err := age.Encrypt(&wrapped, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(secret); err != nil {
		return nil, err
	}
	err = w.Close() // which writes the rest
	return wrapped.Bytes(), err
}

func (c credential) unwrap(_ string, wrapped []byte) ([]byte, error) {
	if !bytes.HasPrefix(wrapped, []byte(ageMagic)) {
		return wrapped, nil // from before there was a credential
	}
	if c.path == "" {
		return nil, fmt.Errorf("it is encrypted to the credential %s, which systemd did not pass", credentialName)
	}
	identity, _, err := c.read()
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(wrapped), identity)
	if err != nil {
		return nil, fmt.Errorf("it is not encrypted to the credential %s, or its file is damaged: %w", credentialName, err)
	}
	secret := make([]byte, len(wrapped)) // more than it has
	n, err := io.ReadFull(r, secret)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("its file is damaged: %w", err)
	}
	return secret[:n], nil
}
