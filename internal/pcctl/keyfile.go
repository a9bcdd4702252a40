package pcctl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// maxKeyFile is the longest file of keys that is read, in bytes.
const maxKeyFile = 1 << 20

// readKeys reads files of secret keys, as age-keygen writes them; "-" is standard
// input.
func readKeys(paths []string, stdin io.Reader) ([]age.Identity, error) {
	var ids []age.Identity
	for _, path := range paths {
		more, err := readKeyFile(path, stdin)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return ids, nil
}

func readKeyFile(path string, stdin io.Reader) ([]age.Identity, error) {
	if path == "" {
		return nil, errors.New("-i: the name of the file is empty")
	}
	from := stdin
	if path != standardOutput {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("the key in %s cannot be read: %w", path, cause(err))
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxKeyFile))
	defer clear(text)
	if err != nil {
		return nil, fmt.Errorf("the key in %s cannot be read: %w", path, cause(err))
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err == nil {
		return ids, nil
	}
	return nil, explainKeyFile(path, text)
}

// explainKeyFile says what a file is that holds no keys. It says nothing of what
// is in it: that may be a secret.
func explainKeyFile(path string, text []byte) error {
	begins := func(with string) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte(with)) }
	switch name := quoted(path); {
	case begins("age-encryption.org/"), begins("-----BEGIN AGE ENCRYPTED FILE-----"):
		return withHint(fmt.Errorf("the key in %s is itself encrypted, with a passphrase or for another key", path),
			"unlock it first, age -d "+name+" > key.txt, give that with -i, and remove it when you are done.")
	case begins("-----BEGIN OPENSSH PRIVATE KEY-----"), begins("-----BEGIN RSA PRIVATE KEY-----"), begins("ssh-"):
		return withHint(fmt.Errorf("%s is a key for SSH, and no sealed cache is for one", path),
			"the secret key of a recovery recipient begins with AGE-SECRET-KEY-1.")
	case begins("age1"):
		return withHint(fmt.Errorf("%s holds a public key, which opens nothing", path),
			"the secret key that belongs to it begins with AGE-SECRET-KEY-1; age-keygen wrote it into a file.")
	case strings.Contains(string(text), "AGE-PLUGIN-"):
		return withHint(fmt.Errorf("%s holds a key for a plugin of age, and no sealed cache is for one", path),
			"the secret key of a recovery recipient begins with AGE-SECRET-KEY-1.")
	default:
		return withHint(fmt.Errorf("%s holds no key", path),
			"a file as age-keygen writes it has lines that begin with AGE-SECRET-KEY-1, and others that begin with #.")
	}
}
