package pcctl

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// fakeEndpoint is a suffix that no other test uses.
func fakeEndpoint(t *testing.T) string {
	return fmt.Sprintf("-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
}
