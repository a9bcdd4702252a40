//go:build soak

package cache

import "testing"

// TestSoakFlood is TestFlood for the full ten minutes.
func TestSoakFlood(t *testing.T) { flood(t, 1) }
