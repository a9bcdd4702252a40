package cache

import "testing"

// The clock for frequent use shows what the system's does.
func TestBootClock(t *testing.T) {
	clock := bootClock()
	for range 1000 {
		before := BootTime()
		got := clock()
		after := BootTime()
		// Windows counts in steps of 16 ms.
		if slack := int64(20e6); got < before-slack || got > after+slack {
			t.Fatalf("%d is not between %d and %d", got, before, after)
		}
	}
}
