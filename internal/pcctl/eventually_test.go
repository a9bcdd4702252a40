//go:build unix

package pcctl

import (
	"fmt"
	"time"
)

// eventually polls until ok.
func eventually(what string, ok func() bool) error {
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within 10 s: %s", what)
		}
	}
	return nil
}
