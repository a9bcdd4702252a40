package keystore

import (
	"bytes"
	"testing"
)

// What was protected is unprotected by the same name and no other.
func TestDPAPI(t *testing.T) {
	secret := []byte("AGE-SECRET-KEY-1XYZ")
	wrapped, err := dpapi{}.wrap("age1abc", secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, secret[4:]) {
		t.Errorf("the secret stands in %q", wrapped)
	}
	if got, err := (dpapi{}).unwrap("age1abc", wrapped); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unprotected was %q, %v", got, err)
	}
	if got, err := (dpapi{}).unwrap("age1abd", wrapped); err == nil {
		t.Errorf("unprotected by another name was %q", got)
	}
	for i := range wrapped[:20] {
		damaged := bytes.Clone(wrapped)
		damaged[i] ^= 1
		if _, err := (dpapi{}).unwrap("age1abc", damaged); err == nil {
			t.Errorf("taken with byte %d changed", i)
		}
	}
}
