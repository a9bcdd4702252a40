package config

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// privateKey is how private keys of age begin.
const privateKey = "AGE-SECRET-KEY-"

// checkRecipients checks the items of the setting recovery-recipients. Only keys
// of the kind that the machine's own has can stand beside it in one file: age
// mixes no post-quantum keys with others.
func checkRecipients(items []string) error {
	first := map[string]int{}
	for i, item := range items {
		if strings.HasPrefix(strings.ToUpper(item), privateKey) {
			return fmt.Errorf("key %d is a private key, which must not stand here: name the public key that belongs to it, age1", i+1)
		}
		if _, err := age.ParseX25519Recipient(item); err != nil {
			return fmt.Errorf("key %d, %q: %w", i+1, shorten(item), notRecipient(item))
		}
		if before, ok := first[item]; ok {
			return fmt.Errorf("key %d, %q: it is key %d already", i+1, shorten(item), before)
		}
		first[item] = i + 1
	}
	return nil
}

func notRecipient(item string) error {
	switch {
	case strings.HasPrefix(item, "age1pq1"):
		return errors.New("a post-quantum key of age cannot stand beside that of the machine")
	case strings.HasPrefix(item, "ssh-"):
		return errors.New("a key of SSH is none of age: make one with age-keygen")
	}
	return errors.New("it is no public key of age, or was mistyped")
}
