//go:build unix

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The program under test is one, too.
func TestLicences(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := licences([]string{self, self})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Go, its standard library", "Copyright 2009 The Go Authors"} {
		if n := strings.Count(string(text), want); n != 1 {
			t.Errorf("%q is there %d times", want, n)
		}
	}
	if bytes.Contains(text, []byte("\r")) {
		t.Error("there are carriage returns")
	}
	if _, err := licences(nil); err == nil {
		t.Error("no programs, and no error")
	}
	if err := write(&bytes.Buffer{}, "nothing", t.TempDir()); err == nil {
		t.Error("no licence, and no error")
	}
}
