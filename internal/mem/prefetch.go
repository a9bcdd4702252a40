package mem

import "unsafe"

// Prefetch asks the processor for the cache lines at the addresses and does
// not wait for them. Go has no way to say so, and reading a byte of each
// instead holds up what comes after. Where there is no assembly for the
// architecture it does nothing.
func Prefetch(addresses []unsafe.Pointer) {
	if len(addresses) > 0 {
		prefetch(&addresses[0], len(addresses))
	}
}
