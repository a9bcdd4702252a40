//go:build !linux

package rawsock

import "testing"

// needRaw has nothing to see to: an error when the socket is opened tells.
func needRaw(testing.TB) {}
