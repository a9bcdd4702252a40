package service

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Every code has a text, and docs/windows.md explains it in the same words.
func TestExitCodes(t *testing.T) {
	page, err := os.ReadFile("../../docs/windows.md")
	if err != nil {
		t.Fatal(err)
	}
	for code := ExitOK; code <= ExitNotReady; code++ {
		if code == 3 {
			continue // not used any more
		}
		if _, ok := exitTexts[code]; !ok {
			t.Errorf("code %d has no text", code)
		}
		if row := fmt.Sprintf("| %d | %s |", code, code); !strings.Contains(string(page), row) {
			t.Errorf("docs/windows.md lacks the row\n%s", row)
		}
	}
	if len(exitTexts) != int(ExitNotReady) {
		t.Errorf("there are %d texts", len(exitTexts))
	}
	if text := ExitCode(4711).String(); !strings.Contains(text, "4711") {
		t.Errorf("an unknown code is %q", text)
	}
}
