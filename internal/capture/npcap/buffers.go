package npcap

const (
	// MinRing is the least memory, in bytes, that a source can do with.
	MinRing = 512 << 10
	// userBytes is what wpcap.dll fetches from the driver at once
	// (WIN32_DEFAULT_USER_BUFFER_SIZE of libpcap's pcap-int.h).
	userBytes = 256_000
)

// kernelBytes is how much of the memory for one interface is left to the driver,
// where packets wait to be fetched.
func kernelBytes(ring int) int {
	return max(ring, MinRing) - userBytes - gatherBytes
}
