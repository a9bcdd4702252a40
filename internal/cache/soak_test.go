//go:build soak

package cache

import "testing"

// TestSoakFlood lets each deluge have its ten minutes.
func TestSoakFlood(t *testing.T) { flood(t, 1, 10, 40) }
