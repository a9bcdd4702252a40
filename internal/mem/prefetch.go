package mem

// Prefetch asks the processor for the cache lines at the addresses and does
// not wait for them. Go has no way to say so, and reading a byte of each
// instead holds up what comes after. Where there is no assembly for the
// architecture it does nothing. The addresses are numbers, so that noting one
// down is no more than a store; the collector does not see them, and must not
// have to.
func Prefetch(addresses []uintptr) {
	if len(addresses) > 0 {
		prefetch(&addresses[0], len(addresses))
	}
}
